import type { AccountCaller } from '@seaworthy/core'
import type { z } from 'zod'
import type { Ai } from '../ai/index.ts'
import type { Transaction } from '../data/index.ts'
import { enqueue } from '../jobs/index.ts'
import type { Media } from '../media/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'

export interface JobContext<Input> {
  readonly input: Input
  /** The account the job belongs to; a job never acts for another. */
  readonly caller: AccountCaller
  readonly attempt: number
  /** Aborted when the time is up or the process stops: pass it on, or look at it between steps. */
  readonly signal: AbortSignal
  readonly media: Media
  /** Opens sealed fields, and with `readProviderKey` the account's own keys of providers. */
  readonly vault: Vault
  /** Asks AI engines, outside of transactions. */
  readonly ai: Ai
  readonly log: Logger
  progress(fraction: number): void
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** The effect and the end of the job in one transaction. Nothing is written when another try has taken over. */
  finish(effect: (tx: Transaction) => Promise<void>): Promise<void>
}

export interface JobEndContext<Input> {
  readonly input: Input
  readonly caller: AccountCaller
  readonly tx: Transaction
}

export interface Job<Input extends z.ZodType = z.ZodType> {
  readonly kind: 'job'
  /** With the app's name in front: `cosnap.apply-effect`. */
  readonly name: string
  readonly input: Input
  /** Tries, the first included. */
  readonly attempts: number
  readonly timeoutMs: number
  readonly run: (context: JobContext<z.output<Input>>) => Promise<void>
  /** In the transaction that parks the job after its last try. The input is as it was enqueued, by whichever release. */
  readonly onDead?: (context: JobEndContext<z.output<Input>> & { readonly errorCode: string }) => Promise<void>
  /** In the transaction in which an operator gives the dead job another life: takes again what `onDead` gave back. */
  readonly onReplay?: (context: JobEndContext<z.output<Input>>) => Promise<void>
}

/** A kind of job, and the only way to enqueue it is with its input in its own type. */
export function job<Input extends z.ZodType>(definition: Omit<Job<Input>, 'kind'>): Job<Input> {
  return { kind: 'job', ...definition }
}

/** In the caller's transaction: no commit, no job. Returns the job's id. */
export function enqueueJob<Input extends z.ZodType>(
  tx: Transaction,
  caller: AccountCaller,
  definition: Job<Input>,
  input: z.input<Input>,
  options: { readonly trace?: string } = {},
): Promise<string> {
  return enqueue(tx, caller.accountId, definition.name, definition.input.parse(input), {
    attemptsMax: definition.attempts,
    ...options,
  })
}

/** Something that runs by the clock, once per slot. */
export interface Schedule {
  readonly kind: 'schedule'
  readonly name: string
  /** Five fields, in UTC: `*\/10 * * * *`. */
  readonly cron: string
  readonly run: (context: { readonly log: Logger }) => Promise<void>
}

export function schedule(definition: Omit<Schedule, 'kind'>): Schedule {
  return { kind: 'schedule', ...definition }
}
