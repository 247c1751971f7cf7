import { loginOf, openReplica, type Replica } from '../data/index.ts'
import type { Capabilities } from './capabilities.ts'
import { replicaEndpoint } from './prepare-database.ts'

/** Reads of this process from the standby, with what operators need to know about it. */
export function openReadReplica({
  config,
  endpoint: primaryEndpoint,
  database,
  slow,
  log,
  metrics,
  health,
}: Capabilities): Replica | undefined {
  const endpoint = replicaEndpoint(config, primaryEndpoint)
  if (!endpoint) return undefined
  const replica = openReplica({
    primary: database,
    primaryEndpoint,
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, primaryEndpoint),
    name: 'web',
    limits: {
      max: config.databasePoolMax,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
    slow,
    onJoin: (lagMs) => log.info('the read replica is used', { lagMs: Math.round(lagMs) }),
    onLeave: (why) =>
      log.warn('the read replica is not used; everything is read from the primary', { runbook: 'database-gone', why }),
    count: metrics.counter(
      'database_replica_reads_total',
      'Reads that a replica may answer, by who answered, and why it was the primary.',
      ['by', 'why'],
    ),
  })
  metrics.gauge('database_replica_used', 'Web processes that use the replica.', () => (replica.problem() ? 0 : 1))
  metrics.gauge(
    'database_replica_lag_seconds',
    'For how long commits may be missing on the replica.',
    () => replica.lagMs() / 1_000,
    'max',
  )
  health.add({
    name: 'replica',
    kind: 'nice',
    runbook: 'database-gone',
    check: async () => refuseProblem(replica.problem()),
  })
  return replica
}

function refuseProblem(problem: string | undefined): void {
  if (problem) throw new Error(problem)
}
