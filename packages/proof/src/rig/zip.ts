const END_BYTES = 22
const CENTRAL_BYTES = 46
const LOCAL_BYTES = 30

/** The files of an archive whose files are stored as they are, by their names. Throws when it is none. */
export function readZip(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const end = bytes.length - END_BYTES
  if (end < 0 || bytes.readUInt32LE(end) !== 0x06054b50) throw new Error('this is no whole ZIP archive')
  const files = new Map<string, Buffer>()
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [size, name, start] = [bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28), bytes.readUInt32LE(at + 42)]
    const begin = start + LOCAL_BYTES + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28)
    files.set(
      bytes.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + name),
      bytes.subarray(begin, begin + size),
    )
    at += CENTRAL_BYTES + name
  }
  return files
}
