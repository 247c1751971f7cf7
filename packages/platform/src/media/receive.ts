import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fault, newId, showBytes } from '@seaworthy/core'
import { fileTypeFromBuffer } from 'file-type'

/** Streams an upload to a file of its own and stops at the first byte over the limit. The caller removes the file. */
export async function receiveFile(
  stream: Readable,
  directory: string,
  maxBytes: number,
): Promise<{ path: string; bytes: number }> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, newId())
  let bytes = 0
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      bytes += chunk.length
      if (bytes > maxBytes)
        next(fault('payload_too_large', { detail: `The file may have at most ${showBytes(maxBytes)}.` }))
      else next(null, chunk)
    },
  })
  try {
    await pipeline(stream, meter, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
    if (bytes === 0) throw fault('unusable_image', { detail: 'The file is empty.' })
    return { path, bytes }
  } catch (error) {
    await rm(path, { force: true })
    throw translate(error)
  }
}

const SNIFF_BYTES = 4_100
const accepted = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif'])

/** The type by content; names and headers are only what the sender claims. Throws `unusable_image` with what to do. */
export async function sniffImage(path: string): Promise<string> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, 0)
    const type = (await fileTypeFromBuffer(buffer.subarray(0, bytesRead)))?.mime
    if (type && accepted.has(type)) return type
    throw fault('unusable_image', { detail: refusalOf(type), internal: `refused type ${type ?? 'unknown'}` })
  } finally {
    await handle.close()
  }
}

/** SHA-256 of a file, as 64 hexadecimal digits. */
export async function hashFile(path: string): Promise<{ hash: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { hash: hash.digest('hex'), bytes }
}

function refusalOf(type: string | undefined): string {
  if (type?.startsWith('image/hei'))
    return 'HEIC photos cannot be read here. Please send it as JPEG: on an iPhone, Settings, Camera, Formats, Most Compatible.'
  if (type) return `This is ${type}, not a photo. JPEG, PNG, WebP, AVIF, GIF and TIFF are accepted.`
  return 'This is not a photo. JPEG, PNG, WebP, AVIF, GIF and TIFF are accepted.'
}

function translate(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') return fault('storage_full', { cause: error })
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'ABORT_ERR')
    return fault('malformed_request', { detail: 'The upload ended before the file was complete.', cause: error })
  return error
}
