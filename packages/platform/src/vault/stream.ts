import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

/** What was sealed as a stream is not what it was: changed, cut off, lengthened, or sealed under another name or key. */
export class DamagedStreamError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options)
    this.name = 'DamagedStreamError'
  }
}

type Bytes = Iterable<Buffer> | AsyncIterable<Buffer>

const MAGIC = Buffer.from('SWS1')
const SALT_BYTES = 16
const HEADER_BYTES = MAGIC.length + SALT_BYTES
const TAG_BYTES = 16
const FRAME_BYTES = 64 * 1_024
const BOX_BYTES = FRAME_BYTES + TAG_BYTES

/**
 * AES-256-GCM over any number of bytes, in frames of 64 KiB that are bound to `context`, to their number and to whether
 * they are the last: a stream that ends early, or late, does not open. Each stream has a key of its own.
 */
export async function* sealStream(key: Buffer, context: Buffer, plain: Bytes): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES)
  yield Buffer.concat([MAGIC, salt])
  const streamKey = keyOf(key, salt)
  for await (const { piece, index, isLast } of inPieces(plain, FRAME_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', streamKey, nonceOf(index, isLast), { authTagLength: TAG_BYTES })
    cipher.setAAD(context)
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()])
  }
}

/** The plain bytes. Throws `DamagedStreamError` before it gives out a frame that is not what it was. */
export async function* unsealStream(key: Buffer, context: Buffer, sealed: Bytes): AsyncGenerator<Buffer> {
  let streamKey: Buffer | undefined
  for await (const { piece, index, isLast } of inPieces(sealed, BOX_BYTES, HEADER_BYTES)) {
    if (!streamKey) {
      if (piece.length < HEADER_BYTES || !piece.subarray(0, MAGIC.length).equals(MAGIC))
        throw new DamagedStreamError('it does not begin as a sealed stream does')
      streamKey = keyOf(key, piece.subarray(MAGIC.length))
      if (isLast) throw new DamagedStreamError('it was cut off')
      continue
    }
    yield openFrame(streamKey, context, piece, index - 1, isLast)
  }
  if (!streamKey) throw new DamagedStreamError('it is empty')
}

function openFrame(key: Buffer, context: Buffer, box: Buffer, index: number, isLast: boolean): Buffer {
  if (box.length < TAG_BYTES) throw new DamagedStreamError('it was cut off')
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, isLast), { authTagLength: TAG_BYTES })
  decipher.setAAD(context)
  decipher.setAuthTag(box.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw new DamagedStreamError('it was changed, cut off, or sealed elsewhere', { cause })
  }
}

interface Piece {
  readonly piece: Buffer
  readonly index: number
  readonly isLast: boolean
}

/** Pieces of one size, the first of another where one is given; the last may be shorter, and is known to be the last. */
async function* inPieces(source: Bytes, size: number, firstSize = size): AsyncGenerator<Piece> {
  let held: Buffer[] = []
  let bytes = 0
  let index = 0
  const sizeNow = (): number => (index === 0 ? firstSize : size)
  for await (const chunk of source) {
    held.push(chunk)
    bytes += chunk.length
    if (bytes <= sizeNow()) continue
    let rest = Buffer.concat(held)
    while (rest.length > sizeNow()) {
      const piece = rest.subarray(0, sizeNow())
      rest = rest.subarray(piece.length)
      yield { piece, index, isLast: false }
      index++
    }
    held = [rest]
    bytes = rest.length
  }
  yield { piece: Buffer.concat(held), index, isLast: true }
}

function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(index, 4)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

const keyOf = (key: Buffer, salt: Buffer): Buffer =>
  createHmac('sha256', key).update('seaworthy stream').update(salt).update('\x01').digest()
