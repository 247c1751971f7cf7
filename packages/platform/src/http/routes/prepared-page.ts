import { createHash } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'

const encodings = ['br', 'gzip'] as const
type Encoding = (typeof encodings)[number]

/** A page that is the same for everybody: each form of it is made once. */
export interface PreparedPage {
  /** The page, or 304 to whoever has it. */
  send(request: FastifyRequest, reply: FastifyReply): FastifyReply
}

export function preparePage(html: string, headers: Readonly<Record<string, string>>): PreparedPage {
  const etag = `W/"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`
  const all = { ...headers, 'content-type': 'text/html; charset=utf-8', vary: 'accept-encoding', etag }
  const bodies = new Map<Encoding, Buffer>()
  const bodyIn = (encoding: Encoding): Buffer => {
    const body = bodies.get(encoding) ?? compress(html, encoding)
    bodies.set(encoding, body)
    return body
  }
  return {
    send: (request, reply) => {
      reply.headers(all)
      if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
      const encoding = encodingFor(request.headers['accept-encoding'])
      if (!encoding) return reply.code(200).send(html)
      return reply.code(200).header('content-encoding', encoding).send(bodyIn(encoding))
    },
  }
}

/** The best that is named and not refused by `q=0`. */
function encodingFor(accepted: string | string[] | undefined): Encoding | undefined {
  const named = acceptedEncodings(accepted)
  return encodings.find((encoding) => named.includes(encoding))
}

/** The names in an Accept-Encoding header, without those that are refused by `q=0`. */
export const acceptedEncodings = (accepted: string | string[] | undefined): readonly string[] =>
  String(accepted ?? '')
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]?.trim() ?? '')

const compress = (html: string, encoding: Encoding): Buffer =>
  encoding === 'br'
    ? brotliCompressSync(html, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
    : gzipSync(html, { level: 9 })
