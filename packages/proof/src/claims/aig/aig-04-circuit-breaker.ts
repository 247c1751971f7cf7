import { setTimeout as later } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import { askTitle, startTitling } from '../../rig/titling-app.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const FAILS_MS = 20_000
const EVERY_MS = 200

export const claim = defineClaim({
  id: 'AIG-04',
  says: 'An AI engine that fails is left alone by a process after four failures in a row: while it fails it is called a few times instead of hundreds, whoever asks is told at once or answered by the next engine, and it is asked again within ten seconds of being well',
  answers: ['G7', 'ASVS 13.2.6'],
  witness: 'an engine that speaks the protocol of OpenAI and counts its calls',
  tier: 'full',
  seconds: 40,
  limits: {
    'calls while it failed': atMost(10, 'calls'),
    'questions that the next engine did not answer': exactly(0, 'questions'),
    'seconds until it was asked again after it was well': atMost(10, 's'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    const stack = await startTitling(rig, [engine])
    const person = await stack.newcomer()
    await askTitle(person, 'while it is well', 'both')
    const well = engine.calls.length
    engine.mood({ status: 500 })
    const began = performance.now()
    let [asked, missed] = [0, 0]
    for (; performance.now() - began < FAILS_MS; asked++) {
      const { engine: by } = await askTitle(person, `note ${asked}`, 'both')
      if (by !== 'local') missed++
      await later(EVERY_MS)
    }
    const calls = engine.calls.length - well
    engine.mood({ say: '{"title":"A title"}' })
    const healed = performance.now()
    let more = 0
    await until(
      'it is asked again',
      async () => (await askTitle(person, `later ${++more}`, 'both')).engine === 'openai',
      30_000,
    ).catch(() => undefined)
    return {
      measured: {
        'calls while it failed': calls,
        'questions that the next engine did not answer': missed,
        'seconds until it was asked again after it was well': (performance.now() - healed) / 1_000,
      },
      met: { 'it was called until it was left alone': calls >= 4, 'many questions were asked': asked > 2 * 10 },
      evidence: [`${asked} questions, ${calls} calls`],
    }
  },
  sabotages: [
    patch(
      'nobody is ever left alone',
      'packages/platform/src/ai/drivers/cockatiel.ts',
      'const FAILURES = 4',
      'const FAILURES = 100_000',
    ),
    patch(
      'who failed is left alone for a minute',
      'packages/platform/src/ai/drivers/cockatiel.ts',
      'const ALONE_MS = 7 * SECOND',
      'const ALONE_MS = 60 * SECOND',
    ),
  ],
})
