import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { AppError, type Clock, fault, isId, newId, type Secret } from '@seaworthy/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type MediaAddress, type MediaRoom, readDerivative, readMediaUrl } from '../../media/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { dataPolicy, securityHeaders } from '../headers.ts'
import { problemOf, toAppError } from '../reply.ts'

export interface MediaRouteParts {
  readonly room: MediaRoom
  readonly secret: Secret
  readonly clock: Clock
  readonly log: Logger
}

interface Source {
  readonly bytes: number
  readonly type: string
  readonly extension: string
  open(range?: { start: number; end: number }): Promise<Readable>
}

/** Private files by signed address: the signature is the permission, and it ends. Ranges and ETags as browsers expect. */
export function addMediaRoutes(server: FastifyInstance, parts: MediaRouteParts): void {
  server.get('/media/:account/:hash/:variant', async (request, reply) => {
    try {
      await deliver(request, reply, parts)
    } catch (thrown) {
      refuse(reply, thrown, parts.log)
    }
    return reply
  })
}

async function deliver(request: FastifyRequest, reply: FastifyReply, parts: MediaRouteParts): Promise<void> {
  const { download, url } = splitDownload(request.url)
  const read = readMediaUrl(url, parts.secret, parts.clock.now())
  if (!read.ok) throw read.reason === 'expired' ? fault('link_expired') : fault('not_found')
  const etag = `"${read.address.hash.slice(0, 32)}-${read.address.variant}"`
  const source = await findSource(parts.room, read.address)
  if (!source) throw fault('not_found')
  reply.headers({
    ...securityHeaders(false),
    'content-security-policy': `${dataPolicy}; sandbox`,
    'content-type': source.type,
    'cache-control': `private, max-age=${read.secondsLeft}, immutable`,
    'accept-ranges': 'bytes',
    etag,
    ...(download ? { 'content-disposition': `attachment; filename="${download}${source.extension}"` } : {}),
  })
  if (request.headers['if-none-match'] === etag) return void reply.code(304).send()
  await sendRange(
    request,
    reply,
    source,
    request.headers['if-range'] === undefined || request.headers['if-range'] === etag,
  )
}

async function sendRange(
  request: FastifyRequest,
  reply: FastifyReply,
  source: Source,
  mayRange: boolean,
): Promise<void> {
  const range = mayRange ? parseRange(request.headers.range, source.bytes) : undefined
  if (range === 'impossible') {
    reply.header('content-range', `bytes */${source.bytes}`)
    throw fault('range_not_satisfiable')
  }
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${source.bytes}`)
  reply.header('content-length', range ? range.end - range.start + 1 : source.bytes)
  const stream = await source.open(range)
  reply.hijack()
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>)
  pipeline(stream, reply.raw, () => {
    // The reader went away, or the store broke off: the length tells the reader that it has not got everything.
  })
}

async function findSource({ store, derivatives }: MediaRoom, address: MediaAddress): Promise<Source | undefined> {
  if (address.variant === 'original') {
    const key = `${address.accountId}/${address.hash}`
    const bytes = await store.size(key)
    if (bytes === undefined) return undefined
    const type = await sniff(await open(store.read(key, { start: 0, end: 3 })))
    return {
      bytes,
      type,
      extension: type === 'image/png' ? '.png' : '.jpg',
      open: (range) => open(store.read(key, range)),
    }
  }
  const found = await derivatives.open(address)
  const extension = extname(address.variant)
  return (
    found && {
      bytes: found.bytes,
      type: `image/${extension.slice(1)}`,
      extension,
      open: async (range) => readDerivative(found.path, range),
    }
  )
}

async function open(stream: Promise<Readable | undefined>): Promise<Readable> {
  const opened = await stream
  if (!opened) throw fault('not_found')
  return opened
}

/** Only PNG and JPEG are ever stored. */
async function sniff(stream: Readable): Promise<string> {
  const [first] = (await stream.toArray()) as Buffer[]
  return first?.[0] === 0x89 ? 'image/png' : 'image/jpeg'
}

/** One range; more than one, or nonsense, is answered with the whole file, as RFC 9110 allows. */
function parseRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | 'impossible' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (!match[1] && !match[2])) return undefined
  const start = match[1] ? Number(match[1]) : Math.max(0, bytes - Number(match[2]))
  const end = match[1] && match[2] ? Math.min(Number(match[2]), bytes - 1) : bytes - 1
  return start > end || start >= bytes ? 'impossible' : { start, end }
}

/** `&download=name` is not signed: it changes nothing but the name of the file that is saved. */
function splitDownload(url: string): { url: string; download?: string } {
  const match = /^(.*)&download=([\w-]{1,60})$/.exec(url)
  return match ? { url: match[1] ?? url, download: match[2] ?? '' } : { url }
}

function refuse(reply: FastifyReply, thrown: unknown, log: Logger): void {
  if (reply.raw.headersSent) {
    reply.raw.destroy()
    return
  }
  const error = thrown instanceof AppError ? thrown : toAppError(thrown)
  const given = reply.request.headers['x-request-id']
  const requestId = typeof given === 'string' && isId(given) ? given : newId()
  if (error.status >= 500)
    log.error('a file could not be delivered', { runbook: 'provider-down', error: thrown, request: requestId })
  for (const name of ['etag', 'content-disposition', 'accept-ranges', 'content-length']) reply.removeHeader(name)
  void reply
    .code(error.status)
    .headers({
      ...securityHeaders(false),
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
      ...(error.retryAfterSeconds ? { 'retry-after': error.retryAfterSeconds } : {}),
    })
    .send(JSON.stringify(problemOf(error, requestId)))
}
