import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { makePicture } from './picture.ts'

describe('the picture of a journey', () => {
  it('is one that any decoder takes, with the size and the colours that were asked for', async () => {
    const { data, info } = await sharp(makePicture(64, 48, 200))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([64, 48, 3])
    expect([...data.subarray(0, 3)]).toEqual([0, 0, 200])
    expect([...data.subarray(-3)]).toEqual([251, 249, 200])
  })
})
