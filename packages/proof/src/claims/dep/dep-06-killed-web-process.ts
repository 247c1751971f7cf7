import { atMost, defineClaim } from '../../claim.ts'
import { applyLoad } from '../../rig/load.ts'
import { patch } from '../../sabotage.ts'

const SECONDS = 8
const PER_SECOND = 40
const KILL_AT_MS = 2_000

export const claim = defineClaim({
  id: 'DEP-06',
  says: 'The only web process is killed under load, and the product serves again within three seconds by itself',
  answers: ['H14', 'H16', 'S2'],
  witness: 'kill -9, open-loop load',
  tier: 'fast',
  seconds: 12,
  alone: true,
  limits: { 'longest time without a good answer': atMost(3_000, 'ms') },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [before] = await stack.pids('web')
    const loading = applyLoad({
      request: () => ({ url: `${stack.url}/health/ready` }),
      perSecond: PER_SECOND,
      seconds: SECONDS,
      timeoutMs: 2_000,
      isGood: (status) => status === 200,
    })
    await new Promise((resolve) => setTimeout(resolve, KILL_AT_MS))
    await stack.signal('web', 'SIGKILL')
    const { samples } = await loading
    const [after] = await stack.pids('web')
    const failed = samples.filter((sample) => !sample.ok)
    return {
      measured: {
        'longest time without a good answer': longestGap(
          samples.filter((sample) => sample.ok).map((sample) => sample.atMs + sample.ms),
        ),
      },
      met: {
        'another process serves': before !== after && after !== undefined,
        'requests failed while it was gone': failed.length > 0,
        'all requests were sent': samples.length === SECONDS * PER_SECOND,
      },
      run: { samples, marks: [{ atMs: KILL_AT_MS, label: 'kill -9' }] },
      evidence: [`${failed.length} of ${samples.length} requests failed`],
    }
  },
  sabotages: [
    patch(
      'a process that ended is started again too late',
      'packages/platform/src/boot/child.ts',
      'const RESTART_BASE_MS = 100',
      'const RESTART_BASE_MS = 5_000',
    ),
  ],
})

/** Between two good answers, or a good answer and the end. */
function longestGap(answeredAt: readonly number[]): number {
  const times = [0, ...[...answeredAt].sort((a, b) => a - b), SECONDS * 1_000]
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)))
}
