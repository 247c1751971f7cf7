import { setTimeout as pause } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { isAlive } from '../../rig/kept-process.ts'
import { signIn, signUp } from '../../rig/person.ts'
import { startUnderPm2, type UnderPm2 } from '../../rig/pm2.ts'
import { patch } from '../../sabotage.ts'

const BACK_MS = 10_000
const PATIENCE_MS = 3 * BACK_MS
const LOOK_MS = 50
const target = 'packages/ops/src/targets/pm2/pm2.ts'

export const claim = defineClaim({
  id: 'DEP-15',
  says: 'Under PM2, with the rendered file, a supervisor that is killed is back within ten seconds by itself, on the embedded database that went on meanwhile, and knows everybody',
  answers: ['H14', 'S2', 'X12'],
  witness: 'PM2, kill -9, somebody who signs in again',
  needs: ['pm2'],
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'time until it serves again': atMost(BACK_MS, 'ms'),
    'databases that were started anew': exactly(0, 'databases'),
    'people who were forgotten': exactly(0, 'people'),
  },
  experiment: async (rig) => {
    const kept = await startUnderPm2(rig)
    const person = await signUp(kept.url)
    const before = { supervisor: kept.supervisor(), database: kept.database() }
    const started = performance.now()
    process.kill(before.supervisor, 'SIGKILL')
    const isBack = await untilBack(kept, before.supervisor)
    const ms = performance.now() - started
    const known = isBack && (await signIn(kept.url, person.email).then(({ userId }) => userId === person.userId))
    return {
      measured: {
        'time until it serves again': ms,
        'databases that were started anew': kept.database() === before.database ? 0 : 1,
        'people who were forgotten': known ? 0 : 1,
      },
      met: {
        'the supervisor was killed': !isAlive(before.supervisor),
        'the database outlived it': isAlive(before.database),
      },
      evidence: [`supervisor ${before.supervisor} became ${kept.supervisor()}`, kept.output().slice(-600)],
    }
  },
  sabotages: [
    patch('PM2 starts nothing again', target, 'autorestart: true', 'autorestart: false'),
    patch(
      'PM2 waits before it starts again',
      target,
      'exp_backoff_restart_delay: 100',
      'exp_backoff_restart_delay: 15_000',
    ),
  ],
})

/** Another supervisor, whose processes serve; false when that does not come. */
async function untilBack(kept: UnderPm2, killed: number): Promise<boolean> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    if (kept.supervisor() !== killed && (await kept.isReady())) return true
    await pause(LOOK_MS)
  }
  return false
}
