import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KeptAssets } from '../../assets/index.ts'
import { countAnswer } from '../count-answer.ts'
import type { HttpParts } from '../exchange.ts'
import { securityHeaders } from '../headers.ts'
import { type PreparedPage, preparePage } from './prepared-page.ts'
import { addWebFiles } from './web-files.ts'

export interface WebPages {
  /** The page that was made ahead for this address, or the shell, for every address that a person may type. */
  send(request: FastifyRequest, reply: FastifyReply): FastifyReply
}

export interface WebPagesSettings {
  /** What the build made. */
  readonly directory: string
  readonly isHttps: boolean
  /** Files of other releases, for pages that somebody opened before this one came. */
  readonly kept?: KeptAssets
  readonly observe: HttpParts['observe']
}

/** The built web app: pages with a policy of hashes, and assets that never change under their name. */
export async function addWebPages(server: FastifyInstance, settings: WebPagesSettings): Promise<WebPages> {
  const { directory, isHttps, observe } = settings
  const prepare = (html: string): PreparedPage =>
    preparePage(html, {
      ...securityHeaders(isHttps),
      'content-security-policy': pagePolicy(html),
      'cache-control': 'no-cache',
      ...earlyHints(html),
    })
  const index = join(directory, 'index.html')
  const shell = prepare(existsSync(index) ? readPage(index) : missingPage)
  const pages = new Map(findPages(join(directory, 'pages')).map(([path, file]) => [path, prepare(readPage(file))]))
  await addWebFiles(server, settings)
  // What follows a `?` may change what a page shows; the start page's never does. Nor does an id change what is made ahead.
  const pageAt = (url: string): PreparedPage =>
    pages.get(url.startsWith('/?') ? '/' : url) ?? pages.get(url.replace(/[^/]+$/, '_')) ?? shell
  return {
    send: (request, reply) => {
      countAnswer(request, reply, 'page', observe)
      return pageAt(request.url).send(request, reply)
    },
  }
}

const readPage = (file: string): string => readFileSync(file, 'utf8')

/** Address and file of every page that was made ahead: `/cosnap/gallery` is `pages/cosnap/gallery.html`, an id `_`. */
function findPages(directory: string): readonly (readonly [path: string, file: string])[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.html'))
    .map((name) => {
      const path = `/${name.slice(0, -'.html'.length).replaceAll(sep, '/')}`
      return [path === '/index' ? '/' : path, join(directory, name)]
    })
}

/** What the page needs first, for proxies that send it ahead of the page as 103 Early Hints. */
function earlyHints(html: string): { link?: string } {
  const fonts = [...html.matchAll(/<link rel="preload" as="font"[^>]*\bhref="(\/[^"]+)"/g)].map(
    (match) => `<${match[1]}>; rel=preload; as=font; type="font/woff2"; crossorigin`,
  )
  const scripts = [...html.matchAll(/<script[^>]*\bsrc="(\/[^"]+)"/g)].map(
    (match) => `<${match[1]}>; rel=modulepreload`,
  )
  const link = [...fonts, ...scripts].join(', ')
  return link ? { link } : {}
}

/** Inline scripts and styles of a page are allowed by their hash, and nothing else inline is. */
export function pagePolicy(html: string): string {
  const scripts = hashesOf(html, /<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)
  const styles = hashesOf(html, /<style[^>]*>([\s\S]*?)<\/style>/g)
  return [
    "default-src 'none'",
    `script-src 'self'${scripts}`,
    `style-src 'self'${styles}`,
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

function hashesOf(html: string, pattern: RegExp): string {
  return [...html.matchAll(pattern)]
    .map(
      (match) =>
        ` 'sha256-${createHash('sha256')
          .update(match[1] ?? '')
          .digest('base64')}'`,
    )
    .join('')
}

const missingPage =
  '<!doctype html><html lang="en"><title>Seaworthy</title><p>The web pages are not built. Run <code>npm run build</code>.</p></html>'
