import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** A PNG of one colour: a few kilobytes that become `width` x `height` pixels. */
export function pngBomb(width: number, height: number): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  // Eight bits of grey.
  head[8] = 8
  const pixels = deflateSync(Buffer.alloc((width + 1) * height), { level: 9 })
  return new Uint8Array(
    Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]),
  )
}

function chunk(type: string, data: Buffer): Buffer {
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

/** A small picture whose head says that it is 9,000 pixels wide and high, or as large as WebP allows. */
export async function lyingPicture(format: 'jpeg' | 'webp'): Promise<Uint8Array<ArrayBuffer>> {
  const picture = sharp({ create: { width: 16, height: 16, channels: 3, background: '#808080' } })
  const bytes = await picture.toFormat(format).toBuffer()
  if (format === 'webp') bytes.writeUInt32LE(0x3fff_3fff, bytes.indexOf(Buffer.from([0x9d, 0x01, 0x2a])) + 3)
  else bytes.writeUInt32BE(0x2328_2328, bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5)
  return new Uint8Array(bytes)
}
