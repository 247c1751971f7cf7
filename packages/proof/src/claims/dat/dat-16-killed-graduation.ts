import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startCountedWrites } from '../../rig/counted-writes.ts'
import { runGraduation } from '../../rig/graduating.ts'
import { startOtherServer } from '../../rig/other-server.ts'
import { timed } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 4
/** What it says when a step begins, and how long after that it is killed. */
const KILLS: readonly { readonly at: string; readonly afterMs?: number }[] = [
  { at: 'starting the embedded server again' },
  { at: 'making tables' },
  { at: 'making tables', afterMs: 700 },
  { at: 'copying seaworthy.users' },
  { at: 'looking at all keys' },
  { at: 'following what is written' },
  { at: 'comparing every row' },
  { at: 'changing over' },
  { at: 'changing over', afterMs: 100 },
  { at: 'changing over', afterMs: 250 },
  { at: 'tidying up' },
]

export const claim = defineClaim({
  id: 'DAT-16',
  says: 'A graduation that is killed at any of its steps leaves a system that goes on by itself: writes are acknowledged again within seconds, none is lost, and the same command ends it well',
  answers: ['D1', 'D9'],
  witness: 'kill -9; PostgreSQL, and a client that remembers what was acknowledged',
  tier: 'soak',
  seconds: 150,
  alone: true,
  limits: {
    'kills after which nobody could write': exactly(0, `of ${KILLS.length}`),
    'longest time until a write is acknowledged': atMost(20_000, 'ms'),
    'acknowledged writes missing': exactly(0, 'writes'),
    'writes done twice or not at all': exactly(0, 'writes'),
    'moves that could not be ended': exactly(0, 'moves'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const server = await startOtherServer(rig, stack)
    const writes = await startCountedWrites(stack, PER_SECOND)
    const args = ['--to', server.address()]
    const [waits, evidence]: [number[], string[]] = [[], []]
    let [stuck, killed] = [0, 0]
    for (const kill of KILLS) {
      const run = await runGraduation(rig, stack, args, kill)
      const { ms } = await timed(() => writes.writeOne(25_000).catch(() => void stuck++))
      waits.push(ms)
      if (run.code !== 0) killed++
      evidence.push(
        `${kill.at} +${kill.afterMs ?? 0} ms: ${run.code === 0 ? 'was done already' : 'killed'}, a write after ${Math.round(ms)} ms`,
      )
    }
    const last = await runGraduation(rig, stack, args)
    await writes.writeOne(25_000).catch(() => void stuck++)
    const settled = await writes.settle()
    return {
      measured: {
        'kills after which nobody could write': stuck,
        'longest time until a write is acknowledged': Math.max(...waits),
        'acknowledged writes missing': settled.missing.length,
        'writes done twice or not at all': settled.wrong,
        'moves that could not be ended': last.code === 0 ? 0 : 1,
      },
      met: {
        'it was killed at nearly every step': killed >= KILLS.length - 3,
        'writes were acknowledged all along': writes.acknowledged.size > KILLS.length * PER_SECOND,
      },
      run: { samples: writes.samples, marks: [] },
      evidence: [...evidence, last.output.slice(-300)],
    }
  },
  sabotages: [
    patch(
      'the hold on writes stays when whoever held it is gone',
      'packages/platform/src/boot/kept-server.ts',
      'holdWrites(dataDirectory, false)\n  forgetGraduation',
      'forgetGraduation',
    ),
    patch(
      'a half-filled database counts as one of somebody else',
      'packages/platform/src/graduation/arrival.ts',
      "if (move.kind === 'arriving') {",
      "if (move.kind === 'arriving' && move.phase === 'complete') {",
    ),
    patch(
      'it goes on from where it began, and does again what was done',
      'packages/platform/src/graduation/apply.ts',
      'session.query(`update ${ARRIVING}.progress set place = $1`, [showPlace(place)])',
      "session.query('select $1::text', [showPlace(place)])",
    ),
  ],
})
