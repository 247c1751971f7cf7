import { atMost, defineClaim, exactly } from '../../claim.ts'
import { askAll, sum } from '../../rig/asked-at-once.ts'
import { pinEach } from '../../rig/pinned.ts'
import { startRedis } from '../../rig/redis.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PROCESSES = 3
const MAX = 30
const upload = { name: 'cosnap.upload', max: MAX, method: 'POST', path: '/api/cosnap/photos' }
const lostLine = 'each process keeps its share'

export const claim = defineClaim({
  id: 'RAT-03',
  says: 'While the store of limits is gone each of three processes serves its third of the limit, every one of them says so, and within five seconds of its return they share again',
  answers: ['R5'],
  witness: 'redis-server, killed and started again',
  needs: ['redis-server'],
  tier: 'full',
  seconds: 25,
  limits: {
    'let through by each process beyond or below its share': exactly(0, 'requests'),
    'let through too many or too few afterwards': exactly(0, 'requests'),
    'requests that failed': exactly(0, 'requests'),
    'processes that did not say so in log and metric': exactly(0, 'processes'),
    'until the limits were shared again': atMost(5_000, 'ms'),
  },
  experiment: async (rig) => {
    const redis = await startRedis(rig)
    const stack = await rig.start({
      environment: { UPLOAD_RATE_LIMIT_MAX: String(MAX), WEB_PROCESSES: String(PROCESSES), REDIS_URL: redis.url },
    })
    const people = [await stack.newcomer(), await stack.newcomer(), await stack.newcomer()] as const
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => pins.forEach((pin) => void pin.close()))
    const before = await askAll(pins, upload, people[0], MAX)
    await redis.kill()
    const without = await askAll(pins, upload, people[1], MAX)
    const told = [lostOf(stack), await lostByMetric(stack)]
    await redis.start()
    const startedAt = performance.now()
    await until('the store is in use again', async () => (await lostByMetric(stack)) === 0, 10_000).catch(() => false)
    const backMs = performance.now() - startedAt
    const after = await askAll(pins, upload, people[2], MAX)
    return {
      measured: {
        'let through by each process beyond or below its share': sum(
          without.passed.map((own) => Math.abs(own - MAX / PROCESSES)),
        ),
        'let through too many or too few afterwards': Math.abs(sum(after.passed) - MAX),
        'requests that failed': before.failed + without.failed + after.failed,
        'processes that did not say so in log and metric': PROCESSES - Math.min(...told),
        'until the limits were shared again': backMs,
      },
      met: {
        'three processes answered': pins.length === PROCESSES,
        'the limit was shared before': sum(before.passed) === MAX,
      },
      evidence: [before, without, after].map((asked) => `passed ${asked.passed.join(' + ')}, failed ${asked.failed}`),
    }
  },
  sabotages: [
    patch(
      'each process gives the whole limit',
      'packages/platform/src/limits/shared-limiter.ts',
      'createMemoryLimiter(clock, processes)',
      'createMemoryLimiter(clock)',
    ),
    patch(
      'without the store there is no limit',
      'packages/platform/src/limits/shared-limiter.ts',
      'createMemoryLimiter(clock, processes)',
      '{ take: (rate) => ({ allowed: true, limit: rate.max, remaining: rate.max, resetSeconds: 1 }) }',
    ),
    patch(
      'nobody is told',
      'packages/platform/src/limits/shared-limiter.ts',
      'log.error(problem, { runbook, processes, error })',
      '',
    ),
    patch(
      'the store is not asked again',
      'packages/platform/src/limits/shared-limiter.ts',
      'timer = setInterval(() => void ask(), ASK_AGAIN_MS).unref()',
      '',
    ),
  ],
})

const lostOf = (stack: Stack): number => stack.log().filter((line) => line.message.includes(lostLine)).length

/** The processes' gauges add up. */
async function lostByMetric(stack: Stack): Promise<number> {
  const text = await (await fetch(`${stack.adminUrl}/metrics`)).text()
  return Number(/^limits_store_lost (\d+)/m.exec(text)?.[1] ?? Number.NaN)
}
