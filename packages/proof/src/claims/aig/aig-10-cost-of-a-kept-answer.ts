import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import { startTitling } from '../../rig/titling-app.ts'
import { patch } from '../../sabotage.ts'

const COUNT = 20_000

export const claim = defineClaim({
  id: 'AIG-10',
  says: 'An answer of an AI engine that the process remembers costs at most 50 millionths of a second of computing, with everything that is checked and counted, and no statement to the database',
  answers: ['G1', 'K6'],
  witness: 'the kernel, which counts the time of the process; PostgreSQL, which counts its transactions',
  tier: 'full',
  seconds: 30,
  alone: true,
  limits: {
    'computing for a remembered answer': atMost(50, 'µs'),
    'calls that reached the engine': exactly(1, 'calls'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    const stack = await startTitling(rig, [engine])
    const person = await stack.newcomer()
    const { micros } = await person.json<{ micros: number }>(`/api/notes/cost?count=${COUNT}`)
    return {
      measured: { 'computing for a remembered answer': micros, 'calls that reached the engine': engine.calls.length },
      met: { 'it was measured': micros > 0 },
      evidence: [`${micros.toFixed(1)} µs over ${COUNT} answers`],
    }
  },
  sabotages: [
    patch(
      'nothing is remembered in the process',
      'packages/platform/src/ai/gateway.ts',
      'if (known && Date.now() < known.freshUntilMs)',
      'if (known && Date.now() < 0)',
    ),
  ],
})
