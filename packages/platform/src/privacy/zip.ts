/** A file of an archive, read when its turn comes. */
export interface ZipEntry {
  /** With `/` between folders; ASCII. */
  readonly name: string
  readonly chunks: AsyncIterable<Uint8Array | string>
}

const LOCAL = 0x04034b50
const DESCRIPTOR = 0x08074b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** Sizes follow the content, and names are UTF-8. */
const FLAGS = 0x0808
const VERSION = 20
const LENGTH_MAX = 0xffff_ffff
const ENTRIES_MAX = 0xffff
/** 1980-01-01 00:00, the first there is: the moment of an export is in its contents. */
const DATE = 0x21

interface Written {
  readonly name: Buffer
  readonly crc: number
  readonly bytes: number
  readonly offset: number
}

/**
 * A ZIP archive as it is read, uncompressed: photos are compressed already, and nothing waits in memory.
 * Throws beyond 4 GiB or 65,535 files.
 */
export async function* writeZip(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Buffer> {
  const written: Written[] = []
  let offset = 0
  for await (const entry of entries) {
    const name = Buffer.from(entry.name)
    const begin = offset
    const head = header(LOCAL, name, { crc: 0, bytes: 0 })
    offset += head.length
    yield head
    let [crc, bytes] = [0, 0]
    for await (const chunk of entry.chunks) {
      const part =
        typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      crc = crc32(part, crc)
      bytes += part.length
      yield part
    }
    const tail = descriptor(crc, bytes)
    offset += bytes + tail.length
    yield tail
    written.push({ name, crc, bytes, offset: begin })
    if (offset > LENGTH_MAX || written.length > ENTRIES_MAX)
      throw new Error('the archive is too large for the ZIP format')
  }
  const directory = Buffer.concat(written.map((entry) => header(CENTRAL, entry.name, entry)))
  yield directory
  yield end(written.length, directory.length, offset)
}

function header(
  kind: number,
  name: Buffer,
  { crc, bytes, offset }: { crc: number; bytes: number; offset?: number },
): Buffer {
  const isCentral = kind === CENTRAL
  const out = Buffer.alloc(isCentral ? 46 : 30)
  out.writeUInt32LE(kind, 0)
  if (isCentral) out.writeUInt16LE(VERSION, 4)
  const at = isCentral ? 6 : 4
  out.writeUInt16LE(VERSION, at)
  out.writeUInt16LE(FLAGS, at + 2)
  out.writeUInt16LE(DATE, at + 8)
  out.writeUInt32LE(crc, at + 10)
  out.writeUInt32LE(bytes, at + 14)
  out.writeUInt32LE(bytes, at + 18)
  out.writeUInt16LE(name.length, at + 22)
  if (isCentral) out.writeUInt32LE(offset ?? 0, 42)
  return Buffer.concat([out, name])
}

function descriptor(crc: number, bytes: number): Buffer {
  const out = Buffer.alloc(16)
  out.writeUInt32LE(DESCRIPTOR, 0)
  out.writeUInt32LE(crc, 4)
  out.writeUInt32LE(bytes, 8)
  out.writeUInt32LE(bytes, 12)
  return out
}

function end(count: number, bytes: number, offset: number): Buffer {
  const out = Buffer.alloc(22)
  out.writeUInt32LE(END, 0)
  out.writeUInt16LE(count, 8)
  out.writeUInt16LE(count, 10)
  out.writeUInt32LE(bytes, 12)
  out.writeUInt32LE(offset, 16)
  return out
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

/** Of zlib, which Node has only from version 22 on. */
function crc32(bytes: Uint8Array, before: number): number {
  let c = ~before
  for (const byte of bytes) c = (table[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8)
  return ~c >>> 0
}
