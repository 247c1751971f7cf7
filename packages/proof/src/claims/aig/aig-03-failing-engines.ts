import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Engine, startEngine } from '../../rig/engine.ts'
import type { Person } from '../../rig/person.ts'
import { askTitle, startTitling, type Titled } from '../../rig/titling-app.ts'
import { patch } from '../../sabotage.ts'

/** Of the task; and what stands around it on a machine that is busy. */
const TIMEOUT_MS = 8_000
const SPARE_MS = 2_000
const clean = ['ai_unavailable', 'ai_answer_unusable']
const GOOD = { say: '{"title":"A title"}' }

export const claim = defineClaim({
  id: 'AIG-03',
  says: 'Whatever an AI engine does, that is hang, reset, break off, drip, answer with an error, with far too much or with nonsense, whoever asked has an answer or a clean error within the time of the task; a call is tried three times at most, not at all again when it was refused, not before the engine said; and a second region answers while the first fails',
  answers: ['G7', 'G11', 'H17', 'ASVS 13.2.6'],
  witness: 'engines that speak the protocol of OpenAI and fail in every way, with the instants of their calls',
  tier: 'full',
  seconds: 40,
  limits: {
    'faults without a clean answer': exactly(0, 'faults'),
    'longest wait beyond the time of the task': atMost(SPARE_MS, 'ms'),
    'most tries of one question': atMost(3, 'tries'),
    'tries again of what was refused': exactly(0, 'tries'),
    'tries before the engine said': exactly(0, 'tries'),
    'questions that the second region did not answer': exactly(0, 'questions'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    const stack = await startTitling(rig, [engine])
    const person = await stack.newcomer()
    const seen: Seen[] = []
    for (const [name, mood] of faults) seen.push(await meet(engine, person, name, mood))
    const early = await waitAsTold(engine, person)
    const [dead, alive] = [await startEngine(rig), await startEngine(rig)]
    dead.mood('reset')
    const two = await startTitling(rig, [dead, alive])
    const other = await two.newcomer()
    const answers = []
    for (let i = 0; i < 8; i++) answers.push(await askTitle(other, `note ${i}`, 'once'))
    const refused = seen.filter(({ name }) => name === 'refused')
    return {
      measured: {
        'faults without a clean answer': seen.filter(({ told }) => told.status !== 200 && !clean.includes(told.code))
          .length,
        'longest wait beyond the time of the task': Math.max(0, ...seen.map(({ ms }) => ms - TIMEOUT_MS)),
        'most tries of one question': Math.max(...seen.map(({ tries }) => tries)),
        'tries again of what was refused': refused.reduce((sum, { tries }) => sum + tries - 1, 0),
        'tries before the engine said': early,
        'questions that the second region did not answer': answers.filter(({ status }) => status !== 200).length,
      },
      met: {
        'every fault was met': seen.every(({ tries }) => tries > 0),
        'the dead region was asked': dead.calls.length > 0,
      },
      evidence: seen.map(
        ({ name, told, ms, tries }) => `${name}: ${told.code || told.status}, ${Math.round(ms)} ms, ${tries} tries`,
      ),
    }
  },
  sabotages: [
    patch(
      'what was refused is tried again',
      'packages/platform/src/ai/ask-engine.ts',
      "(kind !== 'busy' && kind !== 'failed') || signal.aborted",
      'signal.aborted',
    ),
    patch('tries have no end', 'packages/platform/src/ai/ask-engine.ts', 'const TRIES_MAX = 3', 'const TRIES_MAX = 6'),
    patch(
      'nobody listens to when an engine wants to be asked again',
      'packages/platform/src/ai/drivers/language-model.ts',
      'return Number(header) * SECOND',
      'return Number(header)',
    ),
    patch(
      'the second region is never asked',
      'packages/platform/src/ai/ask-engine.ts',
      'able.find((each) => each !== failed) ?? able[0]',
      'regions[0]',
    ),
  ],
})

const faults = [
  ['error', { status: 500 }],
  ['reset', 'reset'],
  ['cut', 'cut'],
  ['refused', { status: 400 }],
  ['much', 'huge'],
  ['nonsense', { say: 'this is no JSON' }],
  ['foreign', { say: '{"title":["a","list"],"admin":true}' }],
  ['drip', 'drip'],
  ['hang', 'hang'],
] as const

interface Seen {
  readonly name: string
  readonly told: Titled
  readonly ms: number
  readonly tries: number
}

/** A good answer in between, so that each fault meets an engine that is not left alone. */
async function meet(engine: Engine, person: Person, name: string, mood: Parameters<Engine['mood']>[0]): Promise<Seen> {
  engine.mood(GOOD)
  await askTitle(person, `before ${name}`, 'once')
  engine.mood(mood)
  const [before, started] = [engine.calls.length, performance.now()]
  const told = await askTitle(person, `a note for ${name}`, 'once')
  return { name, told, ms: performance.now() - started, tries: engine.calls.length - before }
}

/** Tries that came before the second that it asked for was over. */
async function waitAsTold(engine: Engine, person: Person): Promise<number> {
  let refusedAt = 0
  let early = 0
  engine.mood(({ atMs }) => {
    if (!refusedAt) {
      refusedAt = atMs
      return { status: 429, retryAfter: 1 }
    }
    if (atMs - refusedAt < 1_000) early++
    return GOOD
  })
  const told = await askTitle(person, 'a note for later', 'once')
  return early + (told.status === 200 ? 0 : 1)
}
