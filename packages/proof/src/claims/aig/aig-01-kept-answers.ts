import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { type Engine, startEngine } from '../../rig/engine.ts'
import type { Person } from '../../rig/person.ts'
import type { Rig } from '../../rig/rig.ts'
import { askTitle, startTitling } from '../../rig/titling-app.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const KINDS = 40
const RECEIPTS = 300
/** 10 tokens asked at 1, 5 answered at 2. */
const PRICE = 20
const pairs: readonly (readonly [string, string])[] = [
  ['Milk 1.20', 'Milk 1.21'],
  ['a', 'A'],
  ['ab', 'a b'],
  ['e\u0301', '\u00e9'],
  ['5:hello', 'hello'],
]

export const claim = defineClaim({
  id: 'AIG-01',
  says: 'An answer of an AI engine is given again only to the account that asked, and only when everything that was asked is equal; of a stream of receipts as shops repeat them four calls in five are not made, and what that saved is told to the call and to the millionth of a dollar',
  answers: ['G1', 'G4', 'ASVS 8.3.1'],
  witness: 'an engine that speaks the protocol of OpenAI and counts its calls; rows of PostgreSQL',
  tier: 'full',
  seconds: 40,
  limits: {
    'answers given for another question': exactly(0, 'answers'),
    'answers given to another account': exactly(0, 'answers'),
    'equal questions that were asked again': exactly(0, 'questions'),
    'calls avoided': atLeast(80, '%'),
    'calls that are told wrongly': exactly(0, 'calls'),
    'millionths of a dollar that are told wrongly': exactly(0, 'millionths'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    engine.mood(({ text }) => ({ say: JSON.stringify({ title: `for ${text.length}` }) }))
    const stack = await startTitling(rig, [engine])
    const [person, stranger] = [await stack.newcomer(), await stack.newcomer()]
    const calls = counted(engine)
    let [wrong, again, foreign] = [0, 0, 0]
    for (const [one, other] of pairs) {
      if ((await calls(() => askTitle(person, one))) === 0) wrong++
      if ((await calls(() => askTitle(person, other))) === 0) wrong++
      if ((await calls(() => askTitle(person, one, 'shorter'))) === 0) wrong++
      if ((await calls(() => askTitle(person, one))) > 0) again++
      if ((await calls(() => askTitle(stranger, one))) === 0) foreign++
    }
    const shopper = await stack.newcomer()
    const made = await calls(() => shop(rig, shopper))
    const admin = await stack.database('admin')
    // What costs nothing is counted in memory, and written every second.
    const hits = RECEIPTS - made
    await until('hits are counted', async () => (await tell(admin, shopper)).hits >= hits).catch(() => undefined)
    const told = await tell(admin, shopper)
    return {
      measured: {
        'answers given for another question': wrong,
        'answers given to another account': foreign,
        'equal questions that were asked again': again,
        'calls avoided': (100 * (RECEIPTS - made)) / RECEIPTS,
        'calls that are told wrongly': Math.abs(told.calls - made) + Math.abs(told.hits - hits),
        'millionths of a dollar that are told wrongly':
          Math.abs(told.money - made * PRICE) + Math.abs(told.saved - hits * PRICE),
      },
      met: { 'the engine was asked': engine.calls.length > pairs.length * 4, 'receipts came again': made < RECEIPTS },
      evidence: [`${made} calls for ${RECEIPTS} receipts of ${KINDS} kinds`, JSON.stringify(told)],
    }
  },
  sabotages: [
    patch(
      'parts of a question stand beside each other without their lengths and cases',
      'packages/platform/src/ai/question-key.ts',
      'return `s${value.length}:${value}`',
      "return value.toLowerCase().replace(' ', '')",
    ),
    patch(
      'the account is not part of what an answer is known by',
      'packages/platform/src/ai/gateway.ts',
      'const name = `${caller.accountId} ${key}`',
      "const name = questionKey(prepared.base, '', run.input, run.ask)",
    ),
    patch(
      'nothing is kept',
      'packages/platform/src/ai/gateway.ts',
      "if (task.cache === 'none' || !parts.cache)",
      "if (task.cache === 'none' || parts.cache)",
    ),
  ],
})

const counted =
  (engine: Engine) =>
  async (work: () => Promise<unknown>): Promise<number> => {
    const before = engine.calls.length
    await work()
    return engine.calls.length - before
  }

/** Few kinds come often and most seldom, as with goods of a household. */
async function shop(rig: Rig, person: Person): Promise<void> {
  const kinds = Array.from({ length: KINDS }, (_, i) => `Receipt line of kind ${i}`)
  const weights = kinds.map((_, i) => 1 / (i + 1))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  for (let i = 0; i < RECEIPTS; i++) {
    let at = rig.random() * all
    const kind = weights.findIndex((weight) => {
      at -= weight
      return at <= 0
    })
    await askTitle(person, kinds.at(kind) ?? '')
  }
}

async function tell(
  admin: DatabaseClient,
  person: Person,
): Promise<{ calls: number; hits: number; money: number; saved: number }> {
  const { rows } = await admin.query<{ calls: number; hits: number; money: number; saved: number }>(
    `select sum(calls)::int as calls, sum(hits)::int as hits, sum(money)::int as money, sum(money_saved)::int as saved
     from seaworthy.ai_usage where account_id = $1`,
    [person.accountId],
  )
  return rows[0] ?? { calls: 0, hits: 0, money: 0, saved: 0 }
}
