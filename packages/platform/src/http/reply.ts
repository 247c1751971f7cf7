import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { AppError, fault, KiB } from '@seaworthy/core'
import type { z } from 'zod'
import { translateDatabaseError } from '../data/index.ts'
import { chooseFields, type FileAnswer, fileTypesOf } from '../definition/index.ts'
import { maskAddress } from '../telemetry/index.ts'
import type { Answer, Exchange } from './exchange.ts'
import { asBlock, dataPolicy, securityHeaders } from './headers.ts'
import { POSITION_HEADER } from './positions.ts'
import { noteAnswer, noteRefusal } from './stages/suspect.ts'
import { hasUnread, leaveUnread } from './unread.ts'

const COMPRESS_FROM_BYTES = KiB
const compressors = {
  br: (text: string) => promisify(brotliCompress)(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (text: string) => promisify(gzip)(text, { level: 6 }),
}

const blocks = new Map<string, readonly string[]>()

/** The fixed headers of JSON answers, by their type. */
function fixedBlock(type: string, isHttps: boolean): readonly string[] {
  const id = `${type} ${isHttps}`
  let block = blocks.get(id)
  if (!block) {
    block = asBlock({
      ...securityHeaders(isHttps),
      'content-type': type,
      'content-security-policy': dataPolicy,
      'cache-control': 'no-store',
      vary: 'Origin, Accept-Encoding',
    })
    blocks.set(id, block)
  }
  return block
}

/** Sends what the handler gave. Only declared fields leave; large texts are compressed, answers that set cookies never. */
export async function sendAnswer(exchange: Exchange, answer: Answer): Promise<void> {
  const schema = exchange.served.route.reply[answer.status] as z.ZodType | undefined
  if (!schema)
    throw fault('internal', { internal: `${exchange.served.route.name} gave the undeclared status ${answer.status}` })
  if (fileTypesOf(schema)) return sendFile(exchange, answer.status, schema.parse(answer.body) as FileAnswer)
  const body = answer.status === 204 ? '' : JSON.stringify(chosen(exchange, answer.status, schema.parse(answer.body)))
  noteAnswer(exchange)
  const encoding =
    body.length >= COMPRESS_FROM_BYTES && !answer.headers?.['set-cookie'] ? chooseEncoding(exchange) : undefined
  if (!encoding) return write(exchange, answer.status, 'application/json; charset=utf-8', body, answer.headers)
  const compressed = await compressors[encoding](body)
  write(exchange, answer.status, 'application/json; charset=utf-8', compressed, {
    ...answer.headers,
    'content-encoding': encoding,
  })
}

function chosen({ fields, served }: Exchange, status: number, body: unknown): unknown {
  return fields && served.fieldChoice && status === 200 ? chooseFields(body, fields, served.fieldChoice) : body
}

/** As it is made. When the making fails in the middle the connection breaks, so that nobody takes a part for the whole. */
async function sendFile(exchange: Exchange, status: number, { type, name, chunks }: FileAnswer): Promise<void> {
  const { outgoing, incoming } = exchange
  outgoing.writeHead(status, headOf(exchange, type, { 'content-disposition': `attachment; filename="${name}"` }))
  let bytes = 0
  const counted = async function* () {
    for await (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
  }
  if (incoming.method === 'HEAD') outgoing.end()
  else
    await pipeline(Readable.from(counted(), { objectMode: false }), outgoing).catch((error: unknown) => {
      const isGone = (error as { code?: string }).code === 'ERR_STREAM_PREMATURE_CLOSE'
      if (!isGone)
        exchange.parts.log.error('a file broke off', { runbook: 'provider-down', error, request: exchange.requestId })
      outgoing.destroy()
    })
  report(exchange, status, bytes)
}

function chooseEncoding(exchange: Exchange): 'br' | 'gzip' | undefined {
  const accepted = exchange.incoming.headers['accept-encoding']
  if (!accepted) return undefined
  return /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : undefined
}

/** The one place where an error becomes an answer: public words out, internal words into the log. */
export function sendProblem(exchange: Exchange, thrown: unknown): void {
  const error = toAppError(thrown)
  noteRefusal(exchange, error)
  if (error.status >= 500 || !(thrown instanceof AppError)) {
    exchange.parts.log.error('request failed', {
      runbook: 'requests-fail',
      error: thrown,
      request: exchange.requestId,
      route: exchange.served.template,
      status: error.status,
      code: error.code,
    })
  }
  if (exchange.outgoing.headersSent) {
    exchange.outgoing.destroy()
    return
  }
  const extra: Record<string, string> = {}
  if (error.retryAfterSeconds !== undefined) extra['retry-after'] = String(error.retryAfterSeconds)
  if (error.status === 401)
    extra['www-authenticate'] =
      `Bearer realm="seaworthy"${error.code === 'token_expired' ? ', error="invalid_token", error_description="expired"' : ''}`
  write(
    exchange,
    error.status,
    'application/problem+json; charset=utf-8',
    JSON.stringify(problemOf(error, exchange.requestId)),
    extra,
  )
}

export function toAppError(thrown: unknown): AppError {
  const translated = translateDatabaseError(thrown)
  if (translated instanceof AppError) return translated
  const status = (translated as { statusCode?: number }).statusCode
  const byFramework: Record<number, AppError> = {
    400: fault('malformed_request', { cause: thrown }),
    413: fault('payload_too_large', { cause: thrown }),
    // Of the router: no id is as long as what stands in the address.
    414: fault('not_found', { cause: thrown }),
    415: fault('unsupported_media_type', { cause: thrown }),
    406: fault('unsupported_media_type', { cause: thrown }),
  }
  return byFramework[status ?? 0] ?? fault('internal', { cause: thrown })
}

export function problemOf(error: AppError, requestId: string): Record<string, unknown> {
  return {
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail ? { detail: error.detail } : {}),
    ...(error.fields ? { fields: error.fields } : {}),
    ...(error.retryAfterSeconds !== undefined ? { retryAfterSeconds: error.retryAfterSeconds } : {}),
    requestId,
  }
}

function write(
  exchange: Exchange,
  status: number,
  type: string,
  body: string | Buffer,
  extra?: Answer['headers'],
): void {
  const { outgoing } = exchange
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const head = headOf(exchange, type, extra)
  if (status !== 204) head.push('content-length', String(bytes))
  if (hasUnread(exchange.incoming)) {
    head.push('connection', 'close')
    leaveUnread(exchange.incoming, outgoing)
  }
  outgoing.writeHead(status, head)
  outgoing.end(exchange.incoming.method === 'HEAD' ? undefined : body)
  report(exchange, status, bytes)
}

function headOf(exchange: Exchange, type: string, extra?: Answer['headers']): string[] {
  const { requestId, trace, rate, corsOrigin } = exchange
  const head = fixedBlock(type, exchange.parts.settings.secureCookies).concat(
    'x-request-id',
    requestId,
    'traceparent',
    trace.header,
  )
  if (rate) {
    head.push('ratelimit-policy', `"${rate.name}";q=${rate.decision.limit};w=${rate.windowSeconds}`)
    head.push('ratelimit', `"${rate.name}";r=${rate.decision.remaining};t=${rate.decision.resetSeconds}`)
  }
  if (corsOrigin)
    head.push(
      'access-control-allow-origin',
      corsOrigin,
      'access-control-allow-credentials',
      'true',
      'access-control-expose-headers',
      'x-request-id, ratelimit, ratelimit-policy, retry-after, seaworthy-position',
    )
  if (exchange.follower) addPosition(head, exchange)
  if (extra) addTo(head, extra)
  return head
}

/** Only what the client does not hold yet. */
function addPosition(head: string[], { follower, parts }: Exchange): void {
  const { position, shown } = follower ?? {}
  if (position !== undefined && position !== shown) head.push(POSITION_HEADER, parts.positions?.seal(position) ?? '')
}

function addTo(head: string[], extra: NonNullable<Answer['headers']>): void {
  for (const name in extra) for (const value of [extra[name] ?? ''].flat()) head.push(name, value)
}

/** The metric and the log line. The line is put together by hand: everything in it is a number or from a closed set. */
function report(exchange: Exchange, status: number, bytes: number): void {
  const ms = performance.now() - exchange.startedMs
  const { method } = exchange.served.route
  exchange.parts.observe({ method, route: exchange.served.template, status_code: String(status) }, ms / 1_000)
  const account = exchange.caller ? `,"account":"${exchange.parts.pseudonym(exchange.caller.accountId)}"` : ''
  exchange.parts.log.line(
    `{"level":"info","time":"${new Date().toISOString()}","process":"${exchange.parts.settings.process}","message":"request","method":"${method}","route":"${exchange.served.template}",` +
      `"status":${status},"ms":${ms.toFixed(1)},"bytes":${bytes},"request":"${exchange.requestId}","trace":"${exchange.trace.traceId}","network":"${maskAddress(exchange.address)}"${account}}`,
  )
}
