import { defineClaim, exactly } from '../../claim.ts'
import { startEngine } from '../../rig/engine.ts'
import { pinEach } from '../../rig/pinned.ts'
import { startTitling } from '../../rig/titling-app.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PROCESSES = 4
const EACH = 50
/** Of all who wait: each looks more than once. */
const LOOKS = 20

export const claim = defineClaim({
  id: 'CAC-04',
  says: 'Of 200 equal questions to an AI engine that nobody has asked before, asked at once of four processes without Redis, one call reaches the engine and all are answered',
  answers: ['K6', 'G1'],
  witness: 'an engine that speaks the protocol of OpenAI and counts its calls; four processes told apart by the kernel',
  tier: 'full',
  seconds: 30,
  limits: {
    'calls that reached the engine': exactly(1, 'calls'),
    'processes whose questions were not all answered': exactly(0, 'processes'),
  },
  experiment: async (rig) => {
    const engine = await startEngine(rig)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    engine.mood(async () => {
      await held
      return { say: '{"title":"A title"}' }
    })
    const stack = await startTitling(rig, [engine], { WEB_PROCESSES: String(PROCESSES) })
    const person = await stack.newcomer()
    const pins = await pinEach(stack.port, await stack.pids('web'))
    const asked = pins.map((pin) =>
      pin.ask(`/api/notes/many?count=${EACH}&same=the+same&task=plain`, { token: person.token }),
    )
    const admin = await stack.database('admin')
    const looks = `select (idx_scan + seq_scan)::int as n from pg_stat_user_tables where relname = 'ai_answers'`
    await until('the engine is asked', () => engine.calls.length > 0)
    await until('the others look for its answer', async () => {
      const { rows } = await admin.query<{ n: number }>(looks)
      return (rows[0]?.n ?? 0) >= LOOKS
    })
    release()
    const statuses = await Promise.all(asked)
    for (const pin of pins) pin.close()
    const { rows } = await admin.query<{ hits: number }>('select count(*)::int as hits from seaworthy.ai_answers')
    return {
      measured: {
        'calls that reached the engine': engine.calls.length,
        'processes whose questions were not all answered': statuses.filter((status) => status !== 200).length,
      },
      met: { 'four processes were asked': pins.length === PROCESSES, 'one answer is kept': rows[0]?.hits === 1 },
      evidence: [`${engine.calls.length} calls`, statuses.join(' ')],
    }
  },
  sabotages: [
    patch(
      'each process asks for itself',
      'packages/platform/src/ai/kept-answers.ts',
      'return taken === 1',
      'return taken <= 1',
    ),
  ],
})
