import sharp, { type Sharp } from 'sharp'

/** A colourful picture made by arithmetic: no file in the tree, the same every time. */
export function drawPhoto(width = 320, height = 240): Sharp {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const ring = Math.hypot(x - width / 2, y - height / 2) < Math.min(width, height) / 4
      data[at] = ring ? 210 : Math.round((x / width) * 200)
      data[at + 1] = ring ? 60 : Math.round((y / height) * 180)
      data[at + 2] = ring ? 40 : 120 + ((x * 7 + y * 13) % 60)
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

export async function jpegPhoto(width?: number, height?: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await drawPhoto(width, height).jpeg().toBuffer())
}
