import { defineClaim, exactly } from '../../claim.ts'
import { askAll, cosnapClasses, sum } from '../../rig/asked-at-once.ts'
import { documentedLimits } from '../../rig/documented-limits.ts'
import { pinEach } from '../../rig/pinned.ts'
import { startRedis } from '../../rig/redis.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const PROCESSES = 3

export const claim = defineClaim({
  id: 'RAT-02',
  says: 'Three web processes together let through exactly what is documented when three times as much is asked at once, counted in PostgreSQL or in Redis, and what is used stays used over a restart',
  answers: ['R1', 'R5', 'ASVS 2.4.1'],
  witness: 'three processes told apart by the kernel, redis-server',
  needs: ['redis-server'],
  tier: 'full',
  seconds: 40,
  limits: {
    'requests let through too many or too few, counted in PostgreSQL': exactly(0, 'requests'),
    'requests let through too many or too few, counted in Redis': exactly(0, 'requests'),
    'let through again after a restart': exactly(0, 'requests'),
    'requests that failed': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const redis = await startRedis(rig)
    const inDatabase = await count(rig, {}, true)
    const inRedis = await count(rig, { REDIS_URL: redis.url }, false)
    return {
      measured: {
        'requests let through too many or too few, counted in PostgreSQL': inDatabase.off,
        'requests let through too many or too few, counted in Redis': inRedis.off,
        'let through again after a restart': inDatabase.again,
        'requests that failed': inDatabase.failed + inRedis.failed,
      },
      met: {
        'three processes answered': inDatabase.processes === PROCESSES && inRedis.processes === PROCESSES,
        'each process let some through': inDatabase.each && inRedis.each,
      },
      evidence: [...inDatabase.lines, ...inRedis.lines],
    }
  },
  sabotages: [
    patch(
      'each process counts for itself',
      'packages/platform/src/limits/shared-limiter.ts',
      'if (!rate.strict && processes === 1) return whole.take(rate, key)',
      'if (processes > 0) return whole.take(rate, key)',
    ),
    patch(
      'PostgreSQL gives one more',
      'packages/platform/src/limits/postgres-store.ts',
      'greatest(0, ${max}::int - (${used}))',
      'greatest(0, 1 + ${max}::int - (${used}))',
    ),
    patch(
      'Redis gives one more',
      'packages/platform/src/limits/redis-store.ts',
      'math.min(want, max - used)',
      'math.min(want, 1 + max - used)',
    ),
    patch(
      'the start of a process forgets what was used',
      'packages/platform/src/limits/shared-limiter.ts',
      "update('rates')",
      'update(`rates ${process.ppid}`)',
    ),
  ],
})

async function count(rig: Rig, environment: Readonly<Record<string, string>>, restarts: boolean) {
  const stack = await rig.start({
    environment: { ...documentedLimits, RATE_LIMIT_MAX: '100', WEB_PROCESSES: String(PROCESSES), ...environment },
  })
  const person = await stack.newcomer()
  const pins = await pin(stack)
  const counts = []
  // Signing up has used one of the tries of this network.
  const classes = cosnapClasses.map((each) => ({
    ...each,
    left: each.name === 'identity.auth' ? each.max - 1 : each.max,
  }))
  for (const each of classes) counts.push({ ...each, ...(await askAll(pins, each, person, each.max)) })
  for (const open of pins) open.close()
  const again = restarts ? await askAgain(stack, person) : 0
  return {
    off: sum(counts.map(({ passed, left }) => Math.abs(sum(passed) - left))),
    failed: sum(counts.map(({ failed }) => failed)),
    again,
    processes: pins.length,
    each: counts.every(({ passed }) => passed.filter((own) => own > 0).length > 1),
    lines: counts.map(({ name, left, passed }) => `${name}: ${passed.join(' + ')} of ${left}`),
  }
}

async function pin(stack: Stack) {
  return pinEach(stack.port, await stack.pids('web'))
}

/** What is strict: a larger limit is counted in memory where there is one process, and in batches where there are more. */
async function askAgain(stack: Stack, person: Parameters<typeof askAll>[2]): Promise<number> {
  await stack.signal('supervisor', 'SIGTERM')
  await stack.exited
  await stack.restart()
  const pins = await pin(stack)
  let passed = 0
  for (const each of cosnapClasses) passed += sum((await askAll(pins, each, person, 3)).passed)
  for (const open of pins) open.close()
  return passed
}
