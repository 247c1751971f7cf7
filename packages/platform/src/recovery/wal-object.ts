import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { keyOfWal } from './segments.ts'
import { DamagedError, type Store } from './store.ts'

/** A file of the log as it is in a store: without the zeros at its end, packed. */
export interface WalFile {
  readonly bytes: Buffer
  /** When the server archived it. In milliseconds since 1970. */
  readonly at: number
}

const HEADER_BYTES = 16
const pack = promisify<Buffer, { level: number }, Buffer>(deflateRaw)
const unpack = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw)
const FILE_BYTES_MAX = 1_024 ** 3

export async function putWal(store: Store, name: string, { bytes, at }: WalFile): Promise<void> {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeDoubleBE(at)
  header.writeUInt32BE(bytes.length, 8)
  await store.put(keyOfWal(name), [header, await pack(withoutZeros(bytes), { level: 1 })])
}

/** Undefined when it is not there. Throws `DamagedError`. */
export async function readWal(store: Store, name: string): Promise<WalFile | undefined> {
  const key = keyOfWal(name)
  const object = await store.read(key)
  if (!object) return undefined
  if (object.length < HEADER_BYTES)
    throw new DamagedError({ store: store.shelf.name, key: key, why: 'it is too short' })
  const size = object.readUInt32BE(8)
  const content = await unpack(object.subarray(HEADER_BYTES), { maxOutputLength: FILE_BYTES_MAX })
  const bytes = Buffer.alloc(size)
  content.copy(bytes)
  return { bytes, at: object.readDoubleBE() }
}

/** A segment that was ended by the clock is mostly zeros. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end >= 8 && bytes.readBigUInt64LE(end - 8) === 0n) end -= 8
  while (end > 0 && bytes[end - 1] === 0) end--
  return bytes.subarray(0, end)
}
