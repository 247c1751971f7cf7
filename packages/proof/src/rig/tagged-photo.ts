import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export const MARKER = 'MARKER-4711'
const [WIDTH, HEIGHT] = [600, 400]
const [red, green, blue, white] = ['#ff0000', '#00ff00', '#0000ff', '#ffffff']

/** What is at the top left once the picture is turned as its orientation says, and whether it is higher than wide. */
const turned = { 1: [red, false], 2: [green, false], 3: [white, false], 6: [blue, true], 8: [green, true] } as const
export type Orientation = keyof typeof turned

const personal = ['GPS:all', 'EXIF:all', 'IPTC:all', 'XMP:all', 'MakerNotes:all', 'Photoshop:all', 'Comment']
const questions = [
  '-j',
  '-G1',
  '-a',
  '-u',
  '-ee',
  ...personal.map((name) => `-${name}`),
  '-ThumbnailImage',
  '-PreviewImage',
]

/** One line for each tag that says something about somebody, as exiftool reads it. */
export async function personalTags(rig: Rig, paths: readonly string[]): Promise<string[]> {
  const { stdout } = await runProgram(rig.program('exiftool'), [...questions, ...paths])
  const files = JSON.parse(stdout) as Record<string, unknown>[]
  return files.flatMap(({ SourceFile, ...tags }) =>
    Object.entries(tags).map(
      ([tag, value]) => `${String(SourceFile).split('/').at(-1)} ${tag} ${String(value).slice(0, 60)}`,
    ),
  )
}

/** Four fields of colour, so that it shows how the picture was turned; tags of every kind by exiftool. */
export async function drawTagged(rig: Rig, name: string, orientation: Orientation, encode: (picture: Sharp) => Sharp) {
  const path = join(rig.scratch, name)
  const field = (background: string): Promise<Buffer> =>
    sharp({ create: { width: WIDTH / 2, height: HEIGHT / 2, channels: 3, background } })
      .png()
      .toBuffer()
  const fields = await Promise.all([red, green, blue, white].map(field))
  const whole = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: white } }).composite(
    fields.map((input, i) => ({ input, left: (i % 2) * (WIDTH / 2), top: Math.floor(i / 2) * (HEIGHT / 2) })),
  )
  await encode(sharp(await whole.png().toBuffer())).toFile(path)
  const thumbnail = join(rig.scratch, `${name}.thumbnail`)
  await sharp(fields[0]).resize(40).jpeg().toFile(thumbnail)
  await runProgram(rig.program('exiftool'), [...tagsFor(name, thumbnail), `-Orientation#=${orientation}`, path])
  return { bytes: new Uint8Array(readFileSync(path)), tags: (await personalTags(rig, [path])).length }
}

function tagsFor(name: string, thumbnail: string): string[] {
  const where = [
    '-GPSLatitude=46.94',
    '-GPSLatitudeRef=N',
    '-GPSLongitude=7.44',
    '-GPSLongitudeRef=E',
    '-GPSAltitude=540',
  ]
  const what = ['-Make=Leica', '-Model=Q2', `-SerialNumber=${MARKER}`, `-Artist=${MARKER}`]
  const more = ['-DateTimeOriginal=2020:01:02 03:04:05', `-XMP:Creator=${MARKER}`, `-XMP:CreatorTool=${MARKER}`]
  const ofJpeg = [`-Comment=${MARKER}`, `-IPTC:By-line=${MARKER}`, `-ThumbnailImage<=${thumbnail}`]
  return ['-q', '-m', '-overwrite_original', ...where, ...what, ...more, ...(name.endsWith('.jpg') ? ofJpeg : [])]
}

/** The colours are where they belong when the picture is upright. */
export async function isUpright(bytes: Uint8Array, orientation: Orientation): Promise<boolean> {
  const [corner, isTall] = turned[orientation]
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (Math.floor(info.height / 8) * info.width + Math.floor(info.width / 8)) * info.channels
  const seen = [0, 1, 2].map((channel) => ((data[at + channel] ?? 0) > 127 ? 'ff' : '00')).join('')
  return `#${seen}` === corner && info.height > info.width === isTall
}
