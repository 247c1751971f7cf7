import { jpegPhoto } from '../../rig/photo.ts'
import { type Answer, isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { GeneralConfig } from '../config.ts'
import { type Finding, shown } from '../finding.ts'
import type { Somebody } from '../somebody.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'a file is believed to be what its name says': [],
  'the place where a photo was taken is kept': [114],
  'a stored file is open to everybody': [114],
  'a file of the promised size is refused': [101],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-24',
  says: 'Uploads are looked at, lose the place where they were taken, are private, and may be as large as promised',
  mistakes,
  answers: ['Z4', 'H12', 'F3', 'ASVS 5.2.2', 'ASVS 14.2.8'],
  needs: ['people', 'upload'],
  find: async (target) => {
    const person = await target.newcomer()
    const { upload } = target.config
    if (!upload) throw new Error('there is no upload')
    const plain = await person.ask(upload.send, { body: await jpegPhoto() })
    const findings = [
      ...(await disguised(person, upload)),
      ...(await placed(target, person, upload)),
      ...(await large(person, upload)),
    ]
    return { findings, met: { 'a photo was taken in': isOk(plain) } }
  },
})

type Upload = NonNullable<GeneralConfig['upload']>

async function disguised(person: Somebody, { send }: Upload): Promise<Finding<Mistake>[]> {
  const page = Buffer.from('<!doctype html><script>alert(1)</script>')
  const answer = await person.ask(send, { body: page })
  return isOk(answer) ? [shown('a file is believed to be what its name says', answer, { row: page.toString() })] : []
}

/** Uploads a photo with GPS and fetches it, as its owner and as nobody. */
async function placed({ ask }: Target, person: Somebody, upload: Upload): Promise<Finding<Mistake>[]> {
  const { default: sharp } = await import('sharp')
  const GPSLatitude = '52/1 31/1 12/1'
  const body = await sharp(await jpegPhoto())
    .withExif({ IFD3: { GPSLatitudeRef: 'N', GPSLatitude } })
    .jpeg()
    .toBuffer()
  const sent = await person.ask(upload.send, { body: new Uint8Array(body) })
  const id = String(pick(jsonOf(sent), 'id'))
  const findings: Finding<Mistake>[] = []
  const isSigned = upload.read.startsWith('body.')
  const place = isSigned ? pick(jsonOf(sent), upload.read.slice('body.'.length)) : undefined
  const read = isSigned ? `GET ${String(place)}` : upload.read
  const own = await person.ask(read, { values: { id } })
  if (isOk(own) && (await hasPlace(own)))
    findings.push(
      shown('the place where a photo was taken is kept', own, { answer: `${own.status}, EXIF with GPSLatitude` }),
    )
  const nobodys = await ask(read, { values: { id } })
  // An address that the answer gives works for whoever has it, for a while.
  if (!isSigned && isOk(nobodys) && nobodys.bytes.equals(own.bytes))
    findings.push(shown('a stored file is open to everybody', nobodys, { answer: `${nobodys.status}, the whole file` }))
  return findings
}

/** The tag of the GPS block, in either order of bytes. */
async function hasPlace({ bytes }: Answer): Promise<boolean> {
  const { default: sharp } = await import('sharp')
  const { exif } = await sharp(bytes)
    .metadata()
    .catch(() => ({ exif: undefined }))
  return exif ? exif.includes(Buffer.from([0x88, 0x25])) || exif.includes(Buffer.from([0x25, 0x88])) : false
}

async function large(person: Somebody, { send, bytesMax }: Upload): Promise<Finding<Mistake>[]> {
  if (!bytesMax) return []
  const photo = await jpegPhoto()
  const body = new Uint8Array(bytesMax)
  body.set(photo)
  const answer = await person.ask(send, { body })
  return answer.status === 413 || answer.status === 0 || answer.status >= 500
    ? [shown('a file of the promised size is refused', answer)]
    : []
}
