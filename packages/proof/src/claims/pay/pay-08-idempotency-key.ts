import { defineClaim, exactly } from '../../claim.ts'
import { booksOf, giveCredits } from '../../rig/credits.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import { patch } from '../../sabotage.ts'

const AT_ONCE = 15
const GIFT = 20
const COST = 2

interface Reply {
  readonly status: number
  readonly text: string
}

export const claim = defineClaim({
  id: 'PAY-08',
  says: 'A request with one idempotency key has one effect however often it is sent, the first answer is given again, refusals too, and other content under the key is refused',
  answers: ['P7', 'ASVS 2.3.3'],
  witness: 'requests side by side, rows counted by PostgreSQL',
  tier: 'fast',
  seconds: 4,
  limits: {
    'effects of one key beyond the first': exactly(0, 'effects'),
    'answers that differ from the first': exactly(0, 'answers'),
    'refusals that were not repeated': exactly(0, 'answers'),
    'other requests under the key that got no 422': exactly(0, 'answers'),
    'other accounts that got an answer of this key': exactly(0, 'accounts'),
  },
  experiment: async (rig) => {
    const stack = await rig.service()
    const [person, other, poor] = [await stack.newcomer(), await stack.newcomer(), await stack.newcomer()]
    const admin = await stack.database('admin')
    const bytes = await jpegPhoto(64, 48)
    const [photoId, otherPhotoId, poorPhotoId] = [
      await uploadPhoto(person, bytes),
      await uploadPhoto(other, bytes),
      await uploadPhoto(poor, bytes),
    ]
    const key = `once-${rig.seed}-${Math.round(rig.random() * 1e9)}`
    const together = await Promise.all(Array.from({ length: AT_ONCE }, () => start(person, photoId, key)))
    await untilIdle(person)
    const replies = [...together, await start(person, photoId, key)]
    const changed = [
      await send(person, key, { photoId, effect: 'noir', strength: 61 }),
      await send(person, key, { photoId, effect: 'oil', strength: 60 }),
      await send(person, key, { photoId: otherPhotoId, effect: 'noir', strength: 60 }),
    ]
    const foreign = await start(other, otherPhotoId, key)
    const refusals = await refuseTwice(poor, poorPhotoId, () => giveCredits(admin, poor, GIFT))
    const [books, otherBooks] = [await booksOf(admin, person), await booksOf(admin, other)]
    await Promise.all([untilIdle(other), untilIdle(poor)])
    return {
      measured: {
        'effects of one key beyond the first': Math.max(books.runs, books.holds) - 1,
        'answers that differ from the first': new Set(replies.map((reply) => `${reply.status} ${reply.text}`)).size - 1,
        'refusals that were not repeated': refusals.pairs.filter(([first, again]) => first !== again).length,
        'other requests under the key that got no 422': changed.filter((reply) => reply.status !== 422).length,
        'other accounts that got an answer of this key': otherBooks.runs === 1 && foreign.status === 202 ? 0 : 1,
      },
      met: {
        'the first request was accepted': replies[0]?.status === 202,
        'refusals were of three kinds': refusals.kinds === '400 402 404',
        'what was refused would be accepted under another key': refusals.later === 202,
      },
      evidence: [...changed.map((reply) => reply.text), ...refusals.pairs.map(([first]) => first)],
    }
  },
  sabotages: [
    patch(
      'a key that was used is not looked at',
      'packages/platform/src/http/stages/idempotency.ts',
      'if (taken === 0) return replay(await readStored(tx, key), template, hash)',
      '',
    ),
    patch(
      'refusals are not kept',
      'packages/platform/src/http/stages/idempotency.ts',
      "if (passing.has(refusal.status) || refusal.code.startsWith('idempotency_')) return",
      'if (refusal.status > 0) return',
    ),
    patch(
      'the content under a key is not compared',
      'packages/platform/src/http/stages/idempotency.ts',
      'if (stored.route !== route || !stored.requestHash.equals(hash))',
      'if (stored.route !== route)',
    ),
  ],
})

const start = (person: Person, photoId: string, key: string): Promise<Reply> =>
  startRun(person, photoId, 'noir', key).then(toReply)

const send = (person: Person, key: string, body: unknown): Promise<Reply> =>
  person.fetch('/api/cosnap/runs', jsonBody(body, { 'idempotency-key': key })).then(toReply)

const toReply = async (response: Response): Promise<Reply> => ({ status: response.status, text: await response.text() })

/** Three refusals, and each request again after its reason is gone where it can go. */
async function refuseTwice(person: Person, photoId: string, enrich: () => Promise<void>) {
  const bodies = [
    { photoId, effect: 'oil', strength: 60 },
    { photoId: '01890000-0000-7000-8000-000000000000', effect: 'noir', strength: 60 },
    { photoId, effect: 'noir', strength: 400 },
  ]
  for (let spent = 0; spent < GIFT; spent += COST)
    await send(person, `spend-${spent}`, { photoId, effect: 'oil', strength: 1 })
  const sendAll = () => Promise.all(bodies.map((body, i) => send(person, `refuse-${i}`, body)))
  const first = await sendAll()
  await enrich()
  const again = await sendAll()
  const later = await send(person, 'accept', bodies[0])
  return {
    kinds: first
      .map((reply) => reply.status)
      .sort()
      .join(' '),
    pairs: first.map((reply, i) => [essence(reply), essence(again[i])] as const),
    later: later.status,
  }
}

/** Without the number of the request, which is new each time. */
function essence(reply: Reply | undefined): string {
  const { requestId: _, instance: __, ...rest } = JSON.parse(reply?.text ?? '{}') as Record<string, unknown>
  return `${reply?.status} ${JSON.stringify(rest)}`
}
