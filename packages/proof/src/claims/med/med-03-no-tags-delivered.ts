import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sharp } from 'sharp'
import { defineClaim, exactly } from '../../claim.ts'
import { deliver, mediaUrlsIn } from '../../rig/delivered.ts'
import type { Person } from '../../rig/person.ts'
import { startRun, untilRunIs } from '../../rig/photo.ts'
import { drawTagged, isUpright, MARKER, type Orientation, personalTags } from '../../rig/tagged-photo.ts'
import { patch } from '../../sabotage.ts'

const VERSIONS = 8
const kinds: readonly (readonly [name: string, orientation: Orientation, encode: (picture: Sharp) => Sharp])[] = [
  ['plain.jpg', 1, (picture) => picture.jpeg()],
  ['mirrored.jpg', 2, (picture) => picture.jpeg()],
  ['upside-down.jpg', 3, (picture) => picture.jpeg({ progressive: true })],
  ['right.jpg', 6, (picture) => picture.jpeg()],
  ['left.jpg', 8, (picture) => picture.withIccProfile('p3').jpeg()],
  ['right.png', 6, (picture) => picture.png()],
  ['clear.png', 8, (picture) => picture.ensureAlpha(0.9).png()],
  ['right.webp', 6, (picture) => picture.webp()],
  ['right.tiff', 6, (picture) => picture.tiff({ compression: 'lzw' })],
  ['plain.avif', 1, (picture) => picture.avif({ effort: 0 })],
]

export const claim = defineClaim({
  id: 'MED-03',
  says: 'No delivered file of a photo says where, when, with what or by whom it was taken, and each stands upright',
  answers: ['M3', 'ASVS 14.2.8'],
  witness: 'exiftool',
  needs: ['exiftool'],
  tier: 'full',
  seconds: 18,
  limits: {
    'tags in delivered files': exactly(0, 'tags'),
    'files with a mark of the sender': exactly(0, 'files'),
    'pictures that stand wrong': exactly(0, 'pictures'),
  },
  experiment: async (rig) => {
    const service = await rig.service()
    const person = await service.newcomer()
    const inputs = await Promise.all(
      kinds.map(async ([name, orientation, encode]) => ({
        name,
        orientation,
        ...(await drawTagged(rig, name, orientation, encode)),
      })),
    )
    const delivered: { path: string; marked: boolean }[] = []
    const fetchAll = (urls: readonly string[], name: string) =>
      Promise.all(
        urls.map(async (url) => {
          const { bytes } = await deliver(service.url, url)
          const path = join(rig.scratch, `${delivered.length}-${name}`)
          delivered.push({ path, marked: Buffer.from(bytes).includes(MARKER) })
          writeFileSync(path, bytes)
          return bytes
        }),
      )
    const wrong: string[] = []
    for (const { name, orientation, bytes } of inputs) {
      const photo = await upload(person, name, bytes)
      for (const version of await fetchAll(mediaUrlsIn(photo), name))
        if (!(await isUpright(version, orientation))) wrong.push(name)
      if (name === 'right.jpg') await fetchAll(mediaUrlsIn(await applyEffect(person, photo.id)), name)
    }
    const found = await personalTags(
      rig,
      delivered.map(({ path }) => path),
    )
    return {
      measured: {
        'tags in delivered files': found.length,
        'files with a mark of the sender': delivered.filter(({ marked }) => marked).length,
        'pictures that stand wrong': wrong.length,
      },
      met: {
        'every photo that was sent had ten tags or more': inputs.every(({ tags }) => tags >= 10),
        'every photo was delivered in all versions, and an effect': delivered.length > kinds.length * VERSIONS,
      },
      evidence: [
        `${inputs.map(({ name, tags }) => `${name}: ${tags} tags`).join(', ')}; ${delivered.length} files delivered`,
        ...found.slice(0, 20),
        ...wrong,
      ],
    }
  },
  sabotages: [
    patch(
      'what a photo says about itself is kept',
      'packages/platform/src/media/drivers/sharp.ts',
      'upright.jpeg({ quality: JPEG_QUALITY })',
      'upright.keepMetadata().jpeg({ quality: JPEG_QUALITY })',
    ),
    patch(
      'photos are not turned upright',
      'packages/platform/src/media/drivers/sharp.ts',
      'input().autoOrient().toColourspace',
      'input().toColourspace',
    ),
  ],
})

async function upload(person: Person, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<{ id: string }> {
  const response = await person.fetch(`/api/cosnap/photos?name=${name}`, { method: 'POST', body: bytes })
  if (response.status !== 201) throw new Error(`${name} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as { id: string }
}

async function applyEffect(person: Person, photoId: string): Promise<unknown> {
  const { id } = (await (await startRun(person, photoId)).json()) as { id: string }
  return untilRunIs(person, id, 'done')
}
