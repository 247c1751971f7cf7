import { readdirSync } from 'node:fs'
import sharp from 'sharp'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { deliver, mediaUrlsIn } from '../../rig/delivered.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { timed } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PAYLOAD = 'PAYLOAD-0815'
const script = `<script>alert('${PAYLOAD}')</script>`
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${script}<rect width="9" height="9"/></svg>`
// In two halves, so that this source is not taken for the test virus itself.
const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** All sent as `image/jpeg`, under the name of a photo. */
const others: Readonly<Record<string, string>> = {
  'an SVG with a script': svg,
  'an SVG with a prologue': `<?xml version="1.0"?><!DOCTYPE svg>${svg}`,
  'a page': `<!doctype html>${script}`,
  'a page that begins like a GIF': `GIF89a/*${script}*/=1;`,
  'a page that begins like a JPEG': `\xff\xd8\xff\xe0${script}`,
  'a page that begins like a PNG': `\x89PNG\r\n\x1a\n${script}`,
  'a PDF': `%PDF-1.7\n${PAYLOAD}`,
  'an archive': `PK\x03\x04\x14\x00${PAYLOAD}`,
  'a Windows program': `MZ\x90\x00${PAYLOAD}`,
  'a Linux program': `\x7fELF\x02\x01\x01${PAYLOAD}`,
  'a PHP program': `<?php echo '${PAYLOAD}';`,
  'a shell program': `#!/bin/sh\necho ${PAYLOAD}`,
  'a PostScript program': `%!PS-Adobe-3.0\n(${PAYLOAD}) show`,
  'ImageMagick commands': 'push graphic-context\nimage over 0,0 0,0 "https://evil.example"\npop graphic-context',
  'the test virus': eicar,
  'a bitmap': `BM\x46\x00\x00\x00${PAYLOAD}`,
  nothing: '',
}
const names = [
  '../../../../tmp/PAYLOAD-0815',
  '..\\..\\PAYLOAD-0815.php',
  '/etc/PAYLOAD-0815',
  'boat\u202egpj.php',
  'x.php.jpg\r\nx: y',
  '....//....//PAYLOAD-0815.jpg',
]

export const claim = defineClaim({
  id: 'MED-01',
  says: 'Only photos are taken, whatever they are called; nothing that was hidden in one is delivered, and no name becomes a path',
  answers: ['M1', 'M2', 'ASVS 5.2.2', 'ASVS 5.3.2', 'ASVS 5.4.1'],
  witness: 'files of other kinds, and photos with something behind them',
  tier: 'fast',
  seconds: 3,
  limits: {
    'files taken that are no photos': exactly(0, 'files'),
    'slowest refusal': atMost(1_000, 'ms'),
    'delivered files with what was hidden': exactly(0, 'files'),
    'files delivered as anything but a picture': exactly(0, 'files'),
    'names with a path or a control character': exactly(0, 'names'),
    'files on the disk under a name of the sender': exactly(0, 'files'),
  },
  experiment: async (rig) => {
    const service = await rig.service()
    const person = await service.newcomer()
    const refusals = []
    for (const [what, text] of Object.entries(others)) {
      const { value, ms } = await timed(() => send(person, Buffer.from(text, 'latin1'), 'boat.jpg'))
      refusals.push({ what, ms, status: value.status })
    }
    const polyglots = await hideIn(await jpegPhoto())
    const photos = await Promise.all(polyglots.map((bytes, i) => send(person, bytes, names[i] ?? 'boat.svg')))
    const delivered = await Promise.all(
      mediaUrlsIn(photos.map((photo) => photo.body)).map((url) => deliver(service.url, url)),
    )
    const kept = photos.map((photo) => photo.body.name ?? '')
    const taken = refusals.filter((refusal) => refusal.status < 400)
    return {
      measured: {
        'files taken that are no photos': taken.length,
        'slowest refusal': Math.max(...refusals.map((refusal) => refusal.ms)),
        'delivered files with what was hidden': delivered.filter(({ bytes }) => Buffer.from(bytes).includes(PAYLOAD))
          .length,
        'files delivered as anything but a picture': delivered.filter(
          ({ type }) => !/^image\/(jpeg|png|webp|avif)$/.test(type),
        ).length,
        'names with a path or a control character': kept.filter((name) => /[/\\\p{C}]/u.test(name)).length,
        'files on the disk under a name of the sender': readdirSync(service.dataDirectory, { recursive: true }).filter(
          (path) => String(path).includes(PAYLOAD),
        ).length,
      },
      met: {
        'every other file was answered': refusals.every(({ status }) => status > 0 && status < 500),
        'photos with something hidden were taken and delivered':
          photos.every(({ status }) => status === 201) && delivered.length >= 8,
        'each carried the payload': polyglots.every((bytes) => Buffer.from(bytes).includes(PAYLOAD)),
      },
      evidence: [...taken.map(({ what }) => `taken: ${what}`), `names kept: ${JSON.stringify(kept)}`],
    }
  },
  sabotages: [
    patch(
      'what the sender says about the type is believed',
      'packages/platform/src/media/receive.ts',
      'if (type && accepted.has(type)) return type',
      "if (type !== 'nothing') return 'image/jpeg'",
    ),
    patch(
      'what a photo carries beside its pixels is kept',
      'packages/platform/src/media/drivers/sharp.ts',
      'upright.jpeg({ quality: JPEG_QUALITY })',
      'upright.keepMetadata().jpeg({ quality: JPEG_QUALITY })',
    ),
    patch('names are kept as they are sent', 'apps/cosnap/src/photos/photo.ts', ".split(/[\\\\/]/).at(-1) ?? ''", ''),
  ],
})

async function send(person: Person, bytes: Uint8Array<ArrayBuffer>, name: string) {
  const init = { method: 'POST', body: bytes, headers: { 'content-type': 'image/jpeg' } }
  const response = await person.fetch(`/api/cosnap/photos?name=${encodeURIComponent(name)}`, init)
  return { status: response.status, body: (await response.json()) as { readonly name?: string } }
}

/** True photos that are something else as well: behind the end, in a comment, and in what they say about themselves. */
async function hideIn(photo: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]> {
  const comment = Buffer.from(`\xff\xfe\x00\x40${`<?php ${PAYLOAD} ?>`.padEnd(62)}`, 'latin1')
  const told = await sharp(photo)
    .withExif({ IFD0: { ImageDescription: script, Artist: PAYLOAD } })
    .jpeg()
    .toBuffer()
  const png = await sharp(photo).png().toBuffer()
  return [
    Buffer.concat([photo, Buffer.from(script)]),
    Buffer.concat([photo, Buffer.from(`PK\x03\x04${PAYLOAD}`, 'latin1')]),
    Buffer.concat([photo.subarray(0, 2), comment, photo.subarray(2)]),
    new Uint8Array(told),
    Buffer.concat([png, Buffer.from(`PK\x03\x04${PAYLOAD}`, 'latin1')]),
    Buffer.concat([photo, Buffer.from(`${eicar}${PAYLOAD}`)]),
  ]
}
