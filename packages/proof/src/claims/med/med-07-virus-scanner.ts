import sharp from 'sharp'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Clamd, startClamd } from '../../rig/clamd.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { compareStored } from '../../rig/stored.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const SIGNATURE = 'MALWARE-OF-THE-PROOF-0815'
const TIMEOUT_SECONDS = 2
const media = 'packages/platform/src/media/media.ts'
const scanner = 'packages/platform/src/media/scanner.ts'

export const claim = defineClaim({
  id: 'MED-07',
  says: 'With a virus scanner, an infected upload is refused, kept nowhere and told to operators; while the scanner is away or says nothing no upload is taken, and everything else goes on',
  answers: ['M1', 'ASVS 5.4.3'],
  witness: 'clamd of ClamAV with a signature of our own, frozen and killed',
  needs: ['clamd'],
  tier: 'full',
  seconds: 25,
  alone: true,
  limits: {
    'infected files not refused with 422 infected_file': exactly(0, 'files'),
    'clean photos refused': exactly(0, 'photos'),
    'files taken without a verdict': exactly(0, 'files'),
    'refusals without a verdict that are not 503 scanner_unavailable': exactly(0, 'refusals'),
    'slowest refusal while the scanner says nothing': atMost(5_000, 'ms'),
    'files and rows left of what was refused': exactly(0, 'files and rows'),
    'infected files that no security event tells of': exactly(0, 'files'),
  },
  experiment: async (rig) => {
    const clamd = await startClamd(rig, SIGNATURE)
    const stack = await rig.start({ environment: { CLAMD_URL: clamd.url, CLAMD_TIMEOUT: `${TIMEOUT_SECONDS}s` } })
    const [operator, person] = [await stack.operator(), await stack.newcomer()]
    const infected = await sendInfected(person)
    const found = clamd.found()
    const away = await sendWithout(clamd, operator, person)
    const taken = away.answers.filter(({ status }) => status < 400)
    const left = await leftOf(stack, person)
    // Last, so that whatever is there before them was left by somebody who was refused.
    const clean = await Promise.all([320, 640, 960].map(async (width) => send(person, await jpegPhoto(width))))
    const events = await eventsOf(operator)
    return {
      measured: {
        'infected files not refused with 422 infected_file': infected.filter(isNot(422, 'infected_file')).length,
        'clean photos refused': clean.filter(({ status }) => status !== 201).length,
        'files taken without a verdict': taken.length,
        'refusals without a verdict that are not 503 scanner_unavailable': away.answers
          .filter(({ status }) => status >= 400)
          .filter(isNot(503, 'scanner_unavailable')).length,
        'slowest refusal while the scanner says nothing': away.slowest,
        'files and rows left of what was refused': left.length,
        'infected files that no security event tells of': infected.length - events,
      },
      met: {
        'clamd itself found the signature in each': found === infected.length && infected.length === 6,
        'uploads met a scanner that was frozen and one that was killed': away.answers.length === 6,
        'the health said so both times': away.seen === 2,
        'the rest of the service went on': away.others,
      },
      evidence: [
        `clamd found ${found}; ${events} security events`,
        ...[...infected, ...away.answers].map(({ status, code }) => `${status} ${code}`),
        ...left,
      ],
    }
  },
  sabotages: [
    patch(
      'what the scanner found is ignored',
      media,
      "if (verdict?.kind !== 'infected') return",
      "if (verdict?.kind !== 'unheard of') return",
    ),
    patch(
      'a scanner that gives no verdict counts as one that found nothing',
      scanner,
      "count('none')",
      "count('none')\n      if (cause) return { kind: 'clean' }",
    ),
    patch(
      'a frozen scanner is waited for',
      scanner,
      'AbortSignal.timeout(timeoutMs)',
      'AbortSignal.timeout(timeoutMs * 5)',
    ),
    patch('the file that was received stays on the disk', media, 'rm(received.path, { force: true }), ', ''),
    patch(
      'nobody is told what was found',
      media,
      'await database.withCaller({ accountId: sender.accountId }, (tx) => recordEvent(tx, event))',
      'await Promise.resolve(event)',
    ),
  ],
})

interface Answer {
  readonly status: number
  readonly code: string
}

const isNot =
  (status: number, code: string) =>
  (answer: Answer): boolean =>
    answer.status !== status || answer.code !== code

async function send(person: Person, body?: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const init = { method: 'POST', headers, ...(body ? { body } : {}) }
  const response = await person.fetch('/api/cosnap/photos?name=boat.jpg', init)
  return { status: response.status, code: ((await response.json()) as { code?: string }).code ?? '' }
}

/** In true photos, before, within and behind the picture; in a file that is none; in a form, and in parts. */
async function sendInfected(person: Person): Promise<Answer[]> {
  const photo = await jpegPhoto()
  const png = await sharp(photo).png().toBuffer()
  const behind = new Uint8Array(Buffer.concat([photo, Buffer.from(SIGNATURE)]))
  const said = await sharp(photo)
    .withExif({ IFD0: { ImageDescription: SIGNATURE } })
    .jpeg()
    .toBuffer()
  const form = new FormData()
  form.set('photo', new Blob([behind]), 'boat.jpg')
  const answers = []
  for (const body of [behind, Buffer.concat([png, Buffer.from(SIGNATURE)]), said, `MZ ${SIGNATURE}`, form])
    answers.push(await send(person, body instanceof Buffer ? new Uint8Array(body) : body))
  return [...answers, await sendInParts(person, behind)]
}

async function sendInParts(person: Person, body: Uint8Array<ArrayBuffer>): Promise<Answer> {
  const { id } = await person.json<{ id: string }>('/api/uploads', jsonBody({ bytes: body.length }))
  await person.fetch(`/api/uploads/${id}?offset=0`, { method: 'PATCH', body })
  return send(person, undefined, { 'upload-id': id })
}

/** Three photos while it is frozen, and three while it is gone: alone and at the same time. */
async function sendWithout(clamd: Clamd, operator: Person, person: Person) {
  const photo = await jpegPhoto()
  const three = async () => [
    await timed(() => send(person, photo)),
    ...(await Promise.all([0, 1].map(() => timed(() => send(person, photo))))),
  ]
  const goesOn = async (): Promise<boolean> => (await person.fetch('/api/cosnap/photos')).ok
  await clamd.freeze()
  const frozen = await three()
  let seen = await isSeen(operator)
  const others = [await goesOn()]
  await clamd.thaw()
  await clamd.kill()
  const gone = await three()
  seen += await isSeen(operator)
  others.push(await goesOn())
  await clamd.start()
  return {
    answers: [...frozen, ...gone].map(({ value }) => value),
    slowest: Math.max(...frozen.map(({ ms }) => ms)),
    seen,
    others: others.every(Boolean),
  }
}

interface Health {
  readonly status: string
  readonly parts: readonly { readonly name: string; readonly status: string }[]
}

async function isSeen(operator: Person): Promise<number> {
  const seen = await until('the health knows', async () => {
    const { status, parts } = await operator.json<Health>('/health/detailed')
    return status === 'degraded' && parts.some((part) => part.name === 'virus scanner' && part.status === 'failed')
  })
  return Number(seen)
}

async function leftOf(stack: Stack, { accountId }: Person): Promise<string[]> {
  const admin = await stack.database('admin')
  const { rows } = await admin.query<{ hash: string }>('select hash from seaworthy.blobs where account_id = $1', [
    accountId,
  ])
  return [...rows.map(({ hash }) => `row ${hash}`), ...(await compareStored(admin, stack.dataDirectory)).withoutRow]
}

async function eventsOf(operator: Person): Promise<number> {
  const { items } = await operator.json<{ items: { action: string }[] }>('/api/operations/security-events?limit=50')
  return items.filter(({ action }) => action === 'infected_upload').length
}
