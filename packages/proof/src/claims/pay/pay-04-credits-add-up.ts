import { defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { creditsOf, jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongFunction } from '../../sabotage.ts'

const PEOPLE = 4
const ATTEMPTS = 30
const GIFT = 20

export const claim = defineClaim({
  id: 'PAY-04',
  says: 'Credits are never negative and never spent twice, however many effects are started at the same time',
  answers: ['P6', 'P10', 'ASVS 2.3.4'],
  witness: 'the ledger, added up by PostgreSQL',
  tier: 'fast',
  seconds: 8,
  limits: {
    'credits overspent': exactly(0, 'credits'),
    'credits that came or went by themselves': exactly(0, 'credits'),
    'accounts whose books and effects differ': exactly(0, 'accounts'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => stack.newcomer()))
    const photo = await jpegPhoto(64, 48)
    const outcomes = await Promise.all(
      people.map(async (person) => {
        const photoId = await uploadPhoto(person, photo)
        const statuses = await Promise.all(Array.from({ length: ATTEMPTS }, () => startUntilAnswered(person, photoId)))
        await untilIdle(person)
        return {
          started: statuses.filter((s) => s === 202).length,
          refused: statuses.filter((s) => s === 402).length,
          ...(await creditsOf(person)),
        }
      }),
    )
    return {
      measured: {
        'credits overspent': sum(outcomes.map(({ started }) => Math.max(0, started - GIFT))),
        'credits that came or went by themselves': sum(
          outcomes.map((o) => Math.abs(o.available + o.held + o.spent - GIFT)),
        ),
        'accounts whose books and effects differ': outcomes.filter((o) => o.spent !== o.started || o.held !== 0).length,
      },
      met: {
        'each asked for more than it could pay': outcomes.every((o) => o.started + o.refused === ATTEMPTS),
        'each got what it could pay': outcomes.every((o) => o.started >= GIFT),
      },
      evidence: outcomes.map((outcome) => JSON.stringify(outcome)),
    }
  },
  sabotages: [
    wrongFunction(
      'two holds may see the same credits',
      'seaworthy.ledger_hold(uuid, bigint, text)',
      'perform seaworthy.ledger_lock(account);',
      '',
    ),
    patch(
      'a finished effect does not spend what was held',
      'apps/cosnap/src/runs/apply-effect.job.ts',
      'await captureHold(tx, run.hold_id)',
      'await releaseHold(tx, run.hold_id)',
    ),
  ],
})

/** A service that is full says so; whoever wants the effect asks again under the same key. */
function startUntilAnswered(person: Person, photoId: string): Promise<number> {
  const key = `pay-04-${++keys}`
  return until('the start is answered', async () => {
    const { status } = await startRun(person, photoId, 'noir', key)
    return status !== 503 && status
  })
}
let keys = 0

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
