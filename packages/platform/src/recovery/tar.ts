/** One file or directory of a tar archive. The content of a file must be read before the next entry is asked for. */
export interface TarEntry {
  readonly path: string
  readonly kind: 'file' | 'directory'
  readonly bytes: number
  content(): AsyncGenerator<Buffer>
}

const BLOCK = 512

/** Reads the plain archives that PostgreSQL writes. Throws when it is cut off, changed in a header, or of another kind. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = createReader(source)
  for (;;) {
    const header = await reader.take(BLOCK)
    if (!header) throw new Error('the archive was cut off: it has no end')
    if (header.every((byte) => byte === 0)) return
    const entry = parseHeader(header)
    let left = entry.bytes
    const content = async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const piece = await reader.some(left)
        if (!piece) throw new Error(`the archive was cut off in ${entry.path}`)
        left -= piece.length
        yield piece
      }
    }
    yield { ...entry, content }
    for await (const _ of content()) void _
    const padding = (BLOCK - (entry.bytes % BLOCK)) % BLOCK
    if (padding > 0 && !(await reader.take(padding))) throw new Error(`the archive was cut off after ${entry.path}`)
  }
}

const text = (header: Buffer, at: number, length: number): string => {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString()
}

function parseHeader(header: Buffer): Omit<TarEntry, 'content'> {
  const sum = Number.parseInt(text(header, 148, 8).trim(), 8)
  let found = 8 * 32
  for (const [i, byte] of header.entries()) if (i < 148 || i >= 156) found += byte
  if (sum !== found) throw new Error('a header of the archive was changed')
  const [prefix, name, type] = [text(header, 345, 155), text(header, 0, 100), text(header, 156, 1)]
  const path = (prefix ? `${prefix}/${name}` : name).replace(/\/$/, '').replace(/^\.\//, '')
  const size = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(text(header, 124, 12), 8)
  if (path.startsWith('/') || path.split('/').includes('..')) throw new Error(`the archive names ${path}`)
  if (type === '5') return { path, kind: 'directory', bytes: 0 }
  if (type === '0' || type === '') return { path, kind: 'file', bytes: size }
  throw new Error(`the archive has ${path}, which is neither a file nor a directory`)
}

function createReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  /** At most `max` bytes, at least one; undefined at the end. */
  const some = async (max: number): Promise<Buffer | undefined> => {
    while (held.length === 0) {
      const { value, done } = await iterator.next()
      if (done) return undefined
      held = value
    }
    const piece = held.subarray(0, max)
    held = held.subarray(piece.length)
    return piece
  }
  const take = async (length: number): Promise<Buffer | undefined> => {
    const pieces: Buffer[] = []
    for (let left = length; left > 0; ) {
      const piece = await some(left)
      if (!piece) return undefined
      pieces.push(piece)
      left -= piece.length
    }
    return Buffer.concat(pieces)
  }
  return { some, take }
}
