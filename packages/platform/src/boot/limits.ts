import { pause, SECOND, systemClock } from '@seaworthy/core'
import { openRedis } from '../connections/index.ts'
import { loginOf, openDatabase } from '../data/index.ts'
import {
  createPostgresStore,
  createRedisStore,
  createSharedLimiter,
  type RateStore,
  type SharedLimiter,
} from '../limits/index.ts'
import type { Capabilities } from './capabilities.ts'

const CONNECTIONS = 2
/** Slow is not lost: a connection that is refused fails at once. */
const WAIT_MS = 2_000
const STATEMENT_MS = 2_000

const FIRST_ANSWER_MS = 2 * SECOND
const STEP_MS = 50

/** The limits of all web processes, counted in Redis where there is one, else in PostgreSQL. */
export async function openLimits(capabilities: Capabilities): Promise<SharedLimiter> {
  const { config, log, metrics, health } = capabilities
  const store = config.redisUrl ? createRedisStore(await openRedis(config.redisUrl)) : openPostgresStore(capabilities)
  await waitForAnswer(store)
  return createSharedLimiter({
    store,
    processes: config.webProcessesTotal || config.webProcesses,
    secret: config.secrets.refreshSecret,
    clock: systemClock,
    log,
    metrics,
    health,
  })
}

/** It connects meanwhile; where it does not, each process begins with its share. */
async function waitForAnswer(store: RateStore): Promise<void> {
  const answers = (): Promise<boolean> =>
    store.ping().then(
      () => true,
      () => false,
    )
  const endMs = performance.now() + FIRST_ANSWER_MS
  while (!(await answers()) && performance.now() < endMs) await pause(STEP_MS)
}

function openPostgresStore({ config, endpoint }: Capabilities): RateStore {
  const database = openDatabase({
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    name: 'limits',
    limits: { max: CONNECTIONS, waitMs: WAIT_MS, statementMs: STATEMENT_MS, transactionMs: 2 * STATEMENT_MS },
  })
  return createPostgresStore(database)
}
