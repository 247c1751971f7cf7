import type { AccountId } from '@seaworthy/core'
import type { Transaction } from '../data/index.ts'

/** One try at a job. */
export interface Execution {
  readonly id: string
  readonly accountId: AccountId
  readonly input: unknown
  /** 1 is the first. Also the fence: a try that was overtaken by a later one can no longer finish. */
  readonly attempt: number
  readonly trace: string | undefined
  /** Aborted when the time is up or the process is going to stop. */
  readonly signal: AbortSignal
  /** From 0 to 1; at most a few a second are kept. */
  progress(fraction: number): void
  /**
   * The effect and the end of the job in one transaction of the account. Throws `Superseded`, and nothing is written,
   * when another try has taken over.
   */
  finish(effect: (tx: Transaction) => Promise<void>): Promise<void>
}

/** A kind of job as the worker runs it. */
export interface Task {
  /** With the app's name in front: `cosnap.apply-effect`. */
  readonly name: string
  readonly attemptsMax: number
  readonly timeoutMs: number
  run(execution: Execution): Promise<void>
  /** In the transaction that parks a job whose last try failed: gives back what it held. */
  onDead?(execution: Pick<Execution, 'id' | 'accountId' | 'input'>, errorCode: string, tx: Transaction): Promise<void>
}

/** A task that runs by the clock, once per slot however many workers there are. */
export interface ScheduledTask {
  readonly name: string
  /** Five fields, in UTC. */
  readonly cron: string
  run(): Promise<void>
}

/** Another try has taken the job over; what this one did must not count. */
export class Superseded extends Error {
  constructor(jobId: string) {
    super(`the job ${jobId} was taken over by another attempt`)
    this.name = 'Superseded'
  }
}
