import { setTimeout as sleep } from 'node:timers/promises'
import type { Person } from './person.ts'
import { jpegPhoto } from './photo.ts'

const PIECES = 6
let photo: Promise<Uint8Array> | undefined

/** A photo that comes piece by piece over so long. Whether it was taken. */
export async function slowUpload(person: Person, overMs: number): Promise<boolean> {
  photo ??= jpegPhoto(64, 48)
  const bytes = await photo
  const size = Math.ceil(bytes.length / PIECES)
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    pull: async (stream) => {
      await sleep(overMs / PIECES)
      stream.enqueue(bytes.subarray(at, at + size))
      at += size
      if (at >= bytes.length) stream.close()
    },
  })
  const how = { method: 'POST', body, duplex: 'half' } as const
  return (await person.fetch('/api/cosnap/photos?name=slow.jpg', how)).status === 201
}
