import { fault, SECOND, type UserId } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Flag, FlagValue } from './flag.ts'

/** What handlers may ask. */
export interface Flags {
  /** From memory: at most a second old, and the last known value while the database is away. */
  valueOf<V extends FlagValue>(flag: Flag<V>): V
}

interface FlagState {
  readonly flag: Flag
  readonly value: FlagValue
  readonly changedAt: Date | undefined
}

export interface OpenFlags extends Flags {
  list(): readonly FlagState[]
  /** In this process at once, in the others within a second. Throws `not_found`, `invalid_input`. */
  turn(change: FlagChange, also?: (tx: Transaction, from: FlagValue) => Promise<void>): Promise<void>
  stop(): void
}

interface FlagChange {
  readonly name: string
  readonly value: FlagValue
  readonly by: UserId
}

interface FlagSettings {
  readonly database: Database
  /** All that there are. */
  readonly flags: readonly Flag[]
  readonly log: Logger
}

interface Stored {
  readonly name: string
  readonly value: FlagValue
  readonly changedAt: Date
}

const READ_MS = SECOND

/** Reads once before it is ready, and every second from then on. */
export async function openFlags({ database, flags, log }: FlagSettings): Promise<OpenFlags> {
  let stored = new Map<string, Stored>()
  const read = async (): Promise<void> => {
    const rows = await database.withDuty(
      'operations',
      (tx) => tx.many<Stored>(sql`select name, value, changed_at as "changedAt" from seaworthy.flags`),
      { readOnly: true },
    )
    stored = new Map(rows.map((row) => [row.name, row]))
  }
  await read()
  const timer = setInterval(
    () => void read().catch((error: unknown) => log.debug('flags could not be read; asking again soon', { error })),
    READ_MS,
  )
  timer.unref()
  const current = <V extends FlagValue>(flag: Flag<V>): V => {
    // A value from another release may mean nothing to this one.
    const value = stored.get(flag.name)?.value
    return flag.values.find((known) => known === value) ?? flag.default
  }
  return {
    valueOf: current,
    list: () => flags.map((flag) => ({ flag, value: current(flag), changedAt: stored.get(flag.name)?.changedAt })),
    turn: async (change, also) => {
      const flag = flags.find(({ name }) => name === change.name)
      if (!flag) throw fault('not_found', { detail: `This release has no flag ${change.name}.` })
      if (!flag.values.includes(change.value))
        throw fault('invalid_input', { detail: `${flag.name} may be ${flag.values.join(', ')}.` })
      await database.withDuty('operations', async (tx) => {
        await tx.run(sql`
          insert into seaworthy.flags (name, value, changed_by) values (${flag.name}, ${JSON.stringify(change.value)}, ${change.by})
          on conflict (name) do update set value = excluded.value, changed_at = now(), changed_by = excluded.changed_by`)
        await also?.(tx, current(flag))
      })
      await read()
    },
    stop: () => clearInterval(timer),
  }
}
