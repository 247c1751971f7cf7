import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { type Pinned, pinEach } from '../../rig/pinned.ts'
import { patch } from '../../sabotage.ts'

const SIGN_INS = 8
/** When it is not refused by then, it has taken too long anyway. */
const PATIENCE_MS = 3_000
const STEP_MS = 5
const me = '/api/identity/me'

export const claim = defineClaim({
  id: 'IDN-04',
  says: 'Signing out ends the access token at once in the web process that is asked, and within a second in the other one',
  answers: ['I3', 'ASVS 7.4.1', 'ASVS 7.4.2'],
  witness: 'two web processes, told apart by the kernel',
  tier: 'full',
  seconds: 10,
  alone: true,
  limits: {
    'longest time until every process refuses': atMost(1_000, 'ms'),
    'answers to an ended sign-in by the process that ended it': exactly(0, 'answers'),
    'other sign-ins of the same person that ended': exactly(0, 'sign-ins'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2' } })
    const person = await stack.newcomer()
    const sessions: Person[] = []
    for (let i = 0; i < SIGN_INS; i++) sessions.push(await stack.signIn(person))
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => pins.forEach((pin) => void pin.close()))
    const known: number[] = []
    for (const { token } of [person, ...sessions]) for (const pin of pins) known.push(await pin.ask(me, { token }))
    const outs: SignOut[] = []
    // Twice each way: the second begins just after the other process has asked.
    for (const [i, { token }] of sessions.entries())
      outs.push(await signOut(i % 4 < 2 ? pins : pins.toReversed(), token))
    const delays = outs.map((out) => out.delayMs)
    const still: number[] = []
    for (const pin of pins) still.push(await pin.ask(me, { token: person.token }))
    return {
      measured: {
        'longest time until every process refuses': Math.max(...delays),
        'answers to an ended sign-in by the process that ended it': outs.filter((out) => out.stillServed).length,
        'other sign-ins of the same person that ended': still.filter((status) => status !== 200).length,
      },
      met: {
        'two processes served': new Set(pins.map((pin) => pin.pid)).size === 2,
        'every token was known to both': known.every((status) => status === 200),
      },
      evidence: [`until the other process refused: ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms`],
    }
  },
  sabotages: [
    patch(
      'only the process that was asked knows',
      'packages/platform/src/identity/revocations.ts',
      'for (const row of rows) apply(row)',
      'for (const row of rows.slice(0, 0)) apply(row)',
    ),
    patch(
      'the others ask every two seconds',
      'packages/platform/src/identity/revocations.ts',
      'setInterval(() => void poll(), POLL_MS)',
      'setInterval(() => void poll(), 2_000)',
    ),
    patch(
      'the process that was asked learns of it like the others',
      'packages/platform/src/identity/identity.ts',
      'parts.revocations.add(sessionId)',
      '',
    ),
  ],
})

interface SignOut {
  /** By the process that ended it. */
  readonly stillServed: boolean
  readonly delayMs: number
}

async function signOut([asked, other]: readonly Pinned[], token: string): Promise<SignOut> {
  if (!asked || !other) throw new Error('two processes must serve')
  const answer = await asked.ask('/api/identity/sign-out', { method: 'POST', token })
  const endedAt = performance.now()
  if (answer !== 204) throw new Error(`signing out answered ${answer}`)
  const stillServed = (await asked.ask(me, { token })) !== 401
  while (performance.now() - endedAt < PATIENCE_MS) {
    if ((await other.ask(me, { token })) === 401) break
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
  return { stillServed, delayMs: performance.now() - endedAt }
}
