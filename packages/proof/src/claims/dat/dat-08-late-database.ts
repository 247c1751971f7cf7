import { atMost, defineClaim, exactly } from '../../claim.ts'
import { onServer } from '../../rig/external.ts'
import { makeGate } from '../../rig/gate.ts'
import { freePort } from '../../rig/ports.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

const INSTANCES = 2
const TRIES_BEFORE = 2

export const claim = defineClaim({
  id: 'DAT-08',
  says: 'Started before its database, the product waits 2, 4, 8 ... seconds with jitter between its tries, is ready within two seconds of the try that reaches it, and gives up after the tries that it was given',
  answers: ['D7', 'S4'],
  witness: 'PostgreSQL behind an address where nobody answers yet',
  tier: 'full',
  seconds: 15,
  alone: true,
  limits: {
    'waits other than 2, 4, 8 ... s with jitter': exactly(0, 'waits'),
    'instances that wait exactly alike': exactly(0, 'instances'),
    'slowest from the try that reached it to ready': atMost(2_000, 'ms'),
    'instances that gave up too early': exactly(0, 'instances'),
    'tries of one that is given two': exactly(2, 'tries'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '30' } })
    const admin = await server.database('admin')
    const gatePort = await freePort()
    const gate = makeGate(gatePort, admin.port)
    rig.defer(() => gate.close())
    const settings = onServer(admin, 'proof_late')
    // The database has its tables already, as after a failure of the power.
    await (await rig.start({ environment: settings })).stop()
    const late = onServer(admin, 'proof_late', gatePort)
    const impatient = await rig.launch({ environment: { ...late, DB_CONNECT_TRIES: '2' } })
    const instances: Stack[] = []
    for (let i = 0; i < INSTANCES; i++) instances.push(await rig.launch({ environment: late }))
    await impatient.exited
    await until('each has tried twice or given up', () =>
      instances.every((instance) => failuresOf(instance).length >= TRIES_BEFORE || instance.exit()),
    )
    await gate.open()
    const readyAfter = await Promise.all(instances.map(untilReady))
    const failures = instances.map(failuresOf)
    return {
      measured: {
        'waits other than 2, 4, 8 ... s with jitter': failures.flat().filter((failure) => !isDeclared(failure)).length,
        'instances that wait exactly alike':
          INSTANCES - new Set(failures.map((list) => list.map(({ waitMs }) => waitMs).join())).size,
        'slowest from the try that reached it to ready': Math.max(...readyAfter.filter((ms) => ms !== undefined)),
        'instances that gave up too early': readyAfter.filter((ms) => ms === undefined).length,
        'tries of one that is given two': failuresOf(impatient).length + (impatient.exit()?.code ? 1 : 0),
      },
      met: {
        'the tries before failed':
          failures.every((list) => list.length >= TRIES_BEFORE) || readyAfter.includes(undefined),
      },
      evidence: [
        ...failures.map((list) => `waits ${list.map(({ waitMs }) => `${waitMs} ms`).join(', ')}`),
        `ready after ${readyAfter.map((ms) => Math.round(ms ?? Number.NaN)).join(', ')} ms`,
        impatient.output().slice(-300),
      ],
    }
  },
  sabotages: [
    wrongSettings('there is one try only', { DB_CONNECT_TRIES: '1' }),
    patch(
      'there is no jitter',
      'packages/core/src/backoff.ts',
      '(ceiling / 2) * random()',
      '(ceiling / 2) * Math.min(1, random() + 1)',
    ),
  ],
})

interface Failure {
  readonly attempt: number
  readonly waitMs: number
  readonly atMs: number
}

/** The failed tries, from the lines that operators read. */
const failuresOf = (stack: Stack): Failure[] =>
  stack
    .log()
    .filter((line) => line.message === 'the database cannot be reached yet')
    .map((line) => ({
      attempt: Number(line.attempt),
      waitMs: Number(line.waitMs),
      atMs: Date.parse(String(line.time)),
    }))

/** Between half and the whole of 2, 4, 8 ... 30 s. */
function isDeclared({ attempt, waitMs }: Failure): boolean {
  const most = Math.min(30_000, 2_000 * 2 ** (attempt - 1))
  return waitMs >= most / 2 && waitMs <= most
}

/** From the try that reached the database until it serves; undefined when it gave up. */
async function untilReady(stack: Stack): Promise<number | undefined> {
  try {
    await stack.ready()
    const readyAt = Date.now()
    const last = failuresOf(stack).at(-1)
    return last && readyAt - (last.atMs + last.waitMs)
  } catch {
    return undefined
  }
}
