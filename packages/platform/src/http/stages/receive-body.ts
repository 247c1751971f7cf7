import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import type {} from '@fastify/multipart'
import { AppError, assert, type Caller, fault, present, SECOND, showBytes } from '@seaworthy/core'
import type { Body, PhotoUpload, StreamBody } from '../../definition/index.ts'
import { bounds } from '../bounds.ts'
import type { Before, Exchange } from '../exchange.ts'
import { stopReading } from '../unread.ts'

const JSON_MS = 10 * SECOND
const DEPTH_MAX = 32
/** In lists and objects, in all: building and checking more would hold up everybody else. */
const VALUES_MAX = 10_000

/** Reads what the route takes, within its bounds, before anything else is spent on the request. */
export function receiveBody(body: Body | undefined, jsonBytesMax: number): Before | undefined {
  if (body === undefined) return undefined
  if ('kind' in body && body.kind === 'none') return undefined
  if ('kind' in body && body.kind === 'stream') return (exchange) => giveStream(exchange, body)
  if ('kind' in body && body.kind === 'photo') return (exchange) => receivePhoto(exchange, body)
  return (exchange) => receiveJson(exchange, jsonBytesMax)
}

async function receiveJson(exchange: Exchange, bytesMax: number): Promise<void> {
  const type = exchange.incoming.headers['content-type'] ?? ''
  if (!/^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(type))
    throw fault('unsupported_media_type', { detail: 'Send JSON with content-type: application/json.' })
  exchange.bodyBytes = await readBounded(exchange.incoming, bytesMax)
  exchange.body = parseJson(exchange.bodyBytes)
}

/** Stops at the first byte over, and after ten seconds. */
function readBounded(incoming: IncomingMessage, bytesMax: number): Promise<Buffer> {
  refuseDeclaredLength(incoming, bytesMax)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = setTimeout(() => end(fault('request_timeout')), JSON_MS)
    const end = (error?: Error): void => {
      clearTimeout(timer)
      incoming.removeAllListeners('data')
      if (error) reject(error)
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    }
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return void chunks.push(chunk)
      stopReading(incoming)
      end(tooLarge(bytesMax))
    })
    incoming.once('end', () => end())
    incoming.once('error', (cause) => end(fault('malformed_request', { internal: 'the request broke off', cause })))
    incoming.once('close', () => end(fault('malformed_request', { internal: 'the connection closed within the body' })))
  })
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw fault('malformed_request', { detail: 'The body is empty; JSON was expected.' })
  if (!isUtf8(bytes)) throw fault('malformed_request', { detail: 'The body is not valid UTF-8.' })
  refuseBomb(bytes)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (text.includes('\\u0000') || text.includes('\0'))
    throw fault('malformed_request', { detail: 'The body holds a NUL character.' })
  if (text.includes('__proto__'))
    throw fault('malformed_request', { detail: 'The body holds a name that is not allowed.' })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw fault('malformed_request', {
      detail: `The body is not valid JSON: ${(cause as Error).message.slice(0, 120)}`,
      cause,
    })
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
/** What a byte outside strings does to the depth. */
const steps = new Map([
  [0x7b, 1],
  [0x5b, 1],
  [0x7d, -1],
  [0x5d, -1],
])

/** Counts brackets and commas outside strings in one pass over the bytes: a bomb is refused before it is built. */
function refuseBomb(bytes: Uint8Array): void {
  let depth = 0
  let values = 1
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte === QUOTE) i = endOfString(bytes, i)
    else if (byte === COMMA) values++
    else depth += steps.get(byte) ?? 0
    if (depth > DEPTH_MAX)
      throw fault('malformed_request', { detail: `The body is nested more than ${DEPTH_MAX} deep.` })
    if (values > VALUES_MAX)
      throw fault('malformed_request', { detail: `The body holds more than ${VALUES_MAX} values.` })
  }
}

/** Where the string that begins at `start` ends. */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

/** The handler reads it, and stops at what it expects. */
function giveStream(exchange: Exchange, body: StreamBody): undefined {
  const { incoming } = exchange
  refuseDeclaredLength(incoming, body.maxBytes)
  exchange.body = withPatience(incoming, rejectAfter(incoming, body.maxBytes, body.maxBytes))
  return undefined
}

async function receivePhoto(exchange: Exchange, body: PhotoUpload): Promise<void> {
  const caller = present(exchange.caller, 'the caller of an upload')
  const uploadId = exchange.incoming.headers['upload-id']
  if (typeof uploadId === 'string') return receiveUploaded(exchange, caller, uploadId, body.maxBytes)
  const isForm = /^multipart\/form-data/i.test(exchange.incoming.headers['content-type'] ?? '')
  const bytesMax = isForm ? body.maxBytes + bounds.formBytesMax : body.maxBytes
  refuseDeclaredLength(exchange.incoming, bytesMax, body.maxBytes)
  const tooLong = rejectAfter(exchange.incoming, bytesMax, body.maxBytes)
  const source = isForm ? await firstFile(exchange, tooLong) : exchange.incoming
  exchange.body = await exchange.parts.media.storePhoto(
    caller,
    withPatience(source, tooLong),
    body.maxBytes,
    exchange.origin,
  )
}

/** A photo that came in parts before. It is gone afterwards, also when it is no photo. */
async function receiveUploaded(exchange: Exchange, caller: Caller, id: string, maxBytes: number): Promise<void> {
  const { media } = exchange.parts
  const path = await media.uploads.take(caller, id)
  try {
    exchange.body = await media.storePhoto(caller, createReadStream(path), maxBytes, exchange.origin)
  } finally {
    await media.uploads.remove(caller, id)
  }
}

async function firstFile(exchange: Exchange, tooLong: Promise<never>): Promise<Readable> {
  assert(typeof exchange.request.file === 'function', 'the multipart plugin is registered')
  const limits = {
    files: 1,
    fields: 10,
    fieldSize: 1_024,
    parts: 12,
    headerPairs: 50,
    fileSize: Number.POSITIVE_INFINITY,
  }
  const part = await Promise.race([exchange.request.file({ limits }), tooLong]).catch((error: unknown) => {
    throw asUnreadable(error)
  })
  if (!part) throw fault('malformed_request', { detail: 'The form holds no file.' })
  return part.file
}

/** Fails at the first byte over, where it comes in: whatever stands behind reads ahead, and a form's parser without end. */
function rejectAfter(incoming: IncomingMessage, bytesMax: number, shownMax: number): Promise<never> {
  const tooLong = new Promise<never>((_, reject) => {
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return
      stopReading(incoming.unpipe())
      reject(tooLarge(shownMax))
    })
  })
  // Whoever reads has not begun yet.
  tooLong.catch(() => undefined)
  return tooLong
}

/** The parser of forms tells most mistakes of the sender by plain errors. */
const asUnreadable = (error: unknown): Error =>
  error instanceof AppError || (error instanceof Error && 'statusCode' in error)
    ? error
    : fault('malformed_request', { detail: 'The upload could not be read.', cause: error })

/** Ends an upload that sends nothing for twelve seconds; how long it may take in all is the server's to say. */
function withPatience(source: Readable, tooLong: Promise<never>): Readable {
  let silence: NodeJS.Timeout
  const restart = (): void => {
    clearTimeout(silence)
    silence = setTimeout(
      () => out.destroy(fault('request_timeout', { detail: 'Nothing was received for 12 seconds.' })),
      bounds.silenceMs,
    )
  }
  const out = new Transform({
    transform: (chunk, _encoding, next) => {
      restart()
      next(null, chunk)
    },
  })
  restart()
  // Whoever reads has not begun yet: an error until then is kept for it, and must not end the process.
  out.on('error', () => undefined)
  out.once('close', () => {
    clearTimeout(silence)
  })
  tooLong.catch((error: Error) => out.destroy(error))
  source.once('error', (error) => out.destroy(asUnreadable(error)))
  source.once('close', () => {
    if (!source.readableEnded)
      out.destroy(fault('malformed_request', { detail: 'The upload ended before the file was complete.' }))
  })
  return source.pipe(out)
}

function refuseDeclaredLength({ headers }: IncomingMessage, bytesMax: number, shownMax = bytesMax): void {
  const declared = Number(headers['content-length'] ?? 0)
  if (declared > bytesMax) throw tooLarge(shownMax)
}

const tooLarge = (bytesMax: number) =>
  fault('payload_too_large', { detail: `At most ${showBytes(bytesMax)} are accepted here.` })
