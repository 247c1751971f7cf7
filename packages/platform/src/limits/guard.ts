import { createHmac } from 'node:crypto'
import { AppError, type Clock, fault, type Secret } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { introduce, type KnownDevice, knows, readDevice } from './known-device.ts'
import { codes, judgeTry, knownDevice, strangers, type Tries, type TryPolicy } from './try-policy.ts'

export type GuessKind = 'password' | 'totp' | 'recovery'

/** A try at somebody's secret. */
export interface Guess {
  readonly kind: GuessKind
  /** Whose: the address as it was typed, or a user id. Only its keyed hash is kept; who does not exist counts the same. */
  readonly subject: string
  /** For passwords: the cookie of a known device, as it came. */
  readonly device?: string | undefined
}

/** Bounds how often a secret is guessed, whoever asks from wherever, and never locks the owner's own devices out. */
export interface Guard {
  /**
   * Takes a try, then runs `work`. What `work` refuses stays counted; what fails otherwise, and what succeeds, is given
   * back. Throws `too_many_requests` with the seconds to wait.
   */
  protect<T>(guess: Guess, work: () => Promise<T>): Promise<T>
  /**
   * The cookie with which this browser has tries of its own at this password from now on. For somebody who has shown who
   * they are: signed in, signed up, or came by a link that was mailed.
   */
  vouch(subject: string, device: string | undefined): string
}

export interface GuardSettings {
  readonly database: Database
  readonly secret: Secret
  readonly clock: Clock
  readonly log: Logger
}

const KEY_BYTES = 16
const policies: Readonly<Record<GuessKind, TryPolicy>> = { password: strangers, totp: codes, recovery: codes }

/** State is in PostgreSQL: the same for all processes, and after a restart. */
export function createGuard({ database, secret, clock, log }: GuardSettings): Guard {
  const key = createHmac('sha256', secret.reveal()).update('guard').digest('hex')
  const settle = (change: (tx: Transaction) => Promise<void>): Promise<void> =>
    database
      .withDuty('identity', change)
      .catch((error: unknown) => log.warn('a try could not be given back and stays counted', { error }))
  return {
    protect: async (guess, work) => {
      const bucket = bucketOf(guess, key)
      await database.withDuty('identity', (tx) => take(tx, bucket, clock.now()))
      try {
        const value = await work()
        await settle((tx) => forgive(tx, bucket))
        return value
      } catch (error) {
        // A wrong guess is the caller's; what fails on our side told nobody anything.
        if (!(error instanceof AppError) || error.status >= 500) await settle((tx) => giveBack(tx, bucket))
        throw error
      }
    },
    vouch: (subject, device) => introduce(readDevice(device), subjectOf({ kind: 'password', subject }), key),
  }
}

interface Bucket {
  readonly key: Buffer
  readonly policy: TryPolicy
}

function bucketOf(guess: Guess, key: string): Bucket {
  const subject = subjectOf(guess)
  const device = readDevice(guess.device)
  const isKnown = guess.kind === 'password' && device !== undefined && knows(device, subject, key)
  return isKnown
    ? { key: hashKey(key, subject, device), policy: knownDevice }
    : { key: hashKey(key, subject), policy: policies[guess.kind] }
}

const subjectOf = ({ kind, subject }: Guess): string => `${kind}\0${subject.trim().toLowerCase()}`

const hashKey = (key: string, subject: string, device?: KnownDevice): Buffer =>
  createHmac('sha256', key)
    .update(`tries\0${subject}\0${device?.id ?? ''}`)
    .digest()
    .subarray(0, KEY_BYTES)

/** The row is locked from the first statement on: tries at the same secret go one by one, however many come at once. */
async function take(tx: Transaction, { key, policy }: Bucket, now: number): Promise<void> {
  const before = await tx.one<{ failures: number; window_ms: number; used: number; last_ms: number }>(sql`
    insert into seaworthy.tries as t (key, failures, window_ms, used, last_ms) values (${key}, 0, ${now}, 0, ${now})
    on conflict (key) do update set used = t.used returning failures, window_ms, used, last_ms`)
  const known: Tries = {
    failures: before.failures,
    windowMs: before.window_ms,
    used: before.used,
    lastMs: before.last_ms,
  }
  const judgement = judgeTry(policy, known, now)
  if (!judgement.allowed) throw tooMany(judgement.retryMs)
  const { after } = judgement
  await tx.run(sql`
    update seaworthy.tries set failures = ${after.failures}, window_ms = ${after.windowMs}, used = ${after.used}, last_ms = ${after.lastMs}
    where key = ${key}`)
}

/** The secret was right: the wait starts anew. What others have used of the window stays used. */
async function forgive(tx: Transaction, { key }: Bucket): Promise<void> {
  await tx.run(sql`update seaworthy.tries set failures = 0, used = greatest(0, used - 1) where key = ${key}`)
}

async function giveBack(tx: Transaction, { key }: Bucket): Promise<void> {
  await tx.run(
    sql`update seaworthy.tries set failures = greatest(0, failures - 1), used = greatest(0, used - 1) where key = ${key}`,
  )
}

function tooMany(retryMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(retryMs / 1_000))
  return fault('too_many_requests', {
    detail: `There were too many wrong tries. Try again in ${seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}, or from a device that you have signed in on before.`,
    internal: 'the tries at this secret are used up for now',
    retryAfterSeconds: seconds,
  })
}
