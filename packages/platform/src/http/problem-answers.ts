import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type AppError, fault, newId } from '@seaworthy/core'
import type { FastifyReply } from 'fastify'
import { dataPolicy, securityHeaders } from './headers.ts'
import { problemOf } from './reply.ts'

/** Problems outside of an app's routes: pages, health, unknown addresses, and what the HTTP parser refuses. */
export interface ProblemAnswers {
  readonly headers: Readonly<Record<string, string>>
  send(reply: FastifyReply, error: AppError): FastifyReply
  /** What the parser itself refuses never becomes a request: it is answered on the bare socket, in the same form. */
  refuse(error: Error & { code?: string }, socket: Socket): void
}

export function createProblemAnswers(isHttps: boolean): ProblemAnswers {
  const headers = problemHeaders(isHttps)
  return {
    headers,
    send: (reply, error) =>
      reply
        .code(error.status)
        .headers({
          ...headers,
          ...(isLastOfItsConnection(reply.request.raw, error) ? { connection: 'close' } : {}),
          ...(error.retryAfterSeconds ? { 'retry-after': String(error.retryAfterSeconds) } : {}),
        })
        .send(JSON.stringify(problemOf(error, newId()))),
    refuse: (error, socket) => refuseUnparsable(error, socket, headers),
  }
}

const problemHeaders = (isHttps: boolean) => ({
  ...securityHeaders(isHttps),
  'content-security-policy': dataPolicy,
  'cache-control': 'no-store',
  'content-type': 'application/problem+json; charset=utf-8',
})

/** What follows might be read in two ways, or is a body that nobody reads any more. */
function isLastOfItsConnection({ headers }: IncomingMessage, { code }: AppError): boolean {
  return (
    code === 'malformed_request' ||
    headers['transfer-encoding'] !== undefined ||
    Number(headers['content-length'] ?? 0) > 0
  )
}

function refuseUnparsable(
  error: Error & { code?: string },
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === 'ERR_SSL_HTTP_REQUEST') return void refusePlain(socket)
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? fault('headers_too_large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? fault('request_timeout')
        : fault('malformed_request')
  socket.end(asBytes(problem, headers))
}

/** HTTP where TLS is spoken: said in the form it was asked in, on the connection below. */
function refusePlain(socket: Socket): void {
  const below = socket instanceof TLSSocket ? (socket as { readonly _parent?: Socket })._parent : undefined
  if (!below?.writable) return void socket.destroy()
  const problem = fault('malformed_request', { detail: 'This port speaks HTTPS only: ask with https:// in front.' })
  below.end(asBytes(problem, problemHeaders(false)), () => below.destroy())
}

function asBytes(problem: AppError, headers: Readonly<Record<string, string>>): string {
  const body = JSON.stringify(problemOf(problem, newId()))
  const head = Object.entries({
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${problem.status} ${problem.code}\r\n${head.join('\r\n')}\r\n\r\n${body}`
}
