import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { securityHeaders } from '../headers.ts'

export interface WebPages {
  /** The shell, for every address that a person may type. */
  send(reply: FastifyReply): FastifyReply
}

/** The built web app: one shell with a policy of hashes, and assets that never change under their name. */
export async function addWebPages(server: FastifyInstance, directory: string, isHttps: boolean): Promise<WebPages> {
  const index = join(directory, 'index.html')
  const html = existsSync(index) ? readFileSync(index, 'utf8') : missingPage
  const headers = {
    ...securityHeaders(isHttps),
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy(html),
    'cache-control': 'no-cache',
    ...earlyHints(html),
  }
  if (existsSync(join(directory, 'assets'))) {
    await server.register(fastifyStatic, {
      root: directory,
      wildcard: false,
      index: false,
      preCompressed: true,
      decorateReply: false,
      // Else the plugin writes a policy of its own over ours.
      cacheControl: false,
      globIgnore: ['**/*.html'],
      setHeaders: (response, path) => {
        for (const [name, value] of Object.entries(securityHeaders(isHttps))) response.setHeader(name, value)
        response.setHeader(
          'cache-control',
          /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
        )
      },
    })
  }
  return { send: (reply) => reply.code(200).headers(headers).send(html) }
}

/** What the page needs first, for proxies that send it ahead of the page as 103 Early Hints. */
function earlyHints(html: string): { link?: string } {
  const scripts = [...html.matchAll(/<script[^>]*\bsrc="(\/[^"]+)"/g)].map(
    (match) => `<${match[1]}>; rel=modulepreload`,
  )
  const styles = [...html.matchAll(/<link[^>]*\brel="stylesheet"[^>]*\bhref="(\/[^"]+)"/g)].map(
    (match) => `<${match[1]}>; rel=preload; as=style; crossorigin`,
  )
  const link = [...styles, ...scripts].join(', ')
  return link ? { link } : {}
}

/** Inline scripts and styles of the shell are allowed by their hash, and nothing else inline is. */
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
