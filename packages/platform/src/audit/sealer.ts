import { backoffMs, type Clock, pause, SECOND } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import type { HeadsFile } from './heads.ts'
import { type AuditLine, chainOf, lineColumns } from './line.ts'
import { type ChainHead, emptyChain, type Seal, type SealKey } from './seal.ts'

export interface SealerParts {
  /** As the worker's role: the app's role may not seal. */
  readonly database: Database
  readonly key: SealKey
  readonly heads: HeadsFile
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

export interface Sealer {
  stop(): Promise<void>
}

/** A third of what is promised: the sealing itself takes time too. */
const TICK_MS = SECOND / 3
const LINES_MAX = 2_000
const RETRY_MAX_MS = 10 * SECOND

/**
 * Seals lines within a second after their commit, so that writers never wait for each other. Several processes may run
 * one; the database lets one at a time have lines.
 */
export function startSealer(parts: SealerParts): Sealer {
  const stopping = new AbortController()
  const sealed = parts.metrics.counter('audit_sealed_total', 'Audit lines that got their seal.', [])
  let waiting = 0
  parts.metrics.gauge(
    'audit_seal_lag_seconds',
    'How long the oldest audit line has waited for its seal.',
    () => waiting,
  )
  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const lines = await sealWaiting(parts)
        sealed({}, lines)
        waiting = lines < LINES_MAX ? 0 : (await readSealLag(parts.database)).seconds
        failures = 0
        if (lines < LINES_MAX) await pause(TICK_MS, stopping.signal)
      } catch (error) {
        parts.log.warn('audit lines could not be sealed; they wait for the next try', {
          runbook: 'audit-broken',
          error,
        })
        await pause(backoffMs(++failures, TICK_MS, RETRY_MAX_MS), stopping.signal)
      }
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** One batch. Returns how many lines got their seal. */
export async function sealWaiting({ database, key, heads, clock, log }: Omit<SealerParts, 'metrics'>): Promise<number> {
  const seals = await database.withDuty('audit', async (tx) => {
    const lines = await tx.many<AuditLine>(sql`select ${lineColumns} from seaworthy.lines_to_seal(${LINES_MAX}) a`)
    if (lines.length === 0) return []
    const sealedAt = new Date(clock.now()).toISOString()
    const made = sealAll(key, sealedAt, lines, await readHeads(tx, [...new Set(lines.map(chainOf))]))
    await addSeals(tx, made)
    return made
  })
  if (seals.length === 0) return 0
  const newest = new Map(seals.map((seal) => [seal.chain, seal]))
  // After the commit: a head of a seal that never was would accuse somebody of removing it.
  await heads.add([...newest.values()]).catch((error: unknown) => {
    log.error('the heads of the audit could not be kept outside the database: look at DATA_DIR/audit', {
      runbook: 'audit-broken',
      error,
    })
  })
  return seals.length
}

function sealAll(key: SealKey, sealedAt: string, lines: readonly AuditLine[], heads: Map<string, ChainHead>): Seal[] {
  return lines.map((line) => {
    const chain = chainOf(line)
    const seal = key.seal(heads.get(chain) ?? emptyChain(chain), line, sealedAt)
    heads.set(chain, seal)
    return seal
  })
}

async function readHeads(tx: Transaction, chains: readonly string[]): Promise<Map<string, ChainHead>> {
  const rows = await tx.many<ChainHead>(sql`select chain, seq, mac from seaworthy.seal_heads(${chains}::uuid[])`)
  return new Map(rows.map((head) => [head.chain, head]))
}

async function addSeals(tx: Transaction, seals: readonly Seal[]): Promise<void> {
  const all = <K extends keyof Seal>(name: K): Seal[K][] => seals.map((seal) => seal[name])
  await tx.run(sql`select seaworthy.add_seals(${all('chain')}::uuid[], ${all('seq')}::bigint[], ${all('lineId')}::uuid[],
    ${all('lineMac')}::bytea[], ${all('previous')}::bytea[], ${all('mac')}::bytea[], ${seals[0]?.sealedAt})`)
}

/** How long the oldest line has waited for its seal, in seconds, and how many wait (counted to 10,000). */
export function readSealLag(database: Database): Promise<{ readonly seconds: number; readonly lines: number }> {
  return database.withDuty('audit', (tx) =>
    tx.one<{ seconds: number; lines: number }>(sql`select seconds, lines from seaworthy.seal_lag()`),
  )
}

const LAG_MAX_SECONDS = 30

/** For health: throws with what to do when lines have waited for long. */
export async function checkSealLag(database: Database): Promise<void> {
  const { seconds, lines } = await readSealLag(database)
  if (seconds > LAG_MAX_SECONDS)
    throw new Error(
      `${lines} audit lines wait for their seal, the oldest for ${Math.round(seconds)} s: the log says why`,
    )
}
