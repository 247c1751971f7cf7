import type { Ai } from '../ai/index.ts'
import type { Database } from '../data/index.ts'
import type { App, Job } from '../definition/index.ts'
import type { Execution, ScheduledTask, Task } from '../jobs/index.ts'
import { forgetPictures, type Media } from '../media/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'

export interface TaskParts {
  readonly database: Database
  readonly media: Media
  readonly vault: Vault
  readonly ai: Ai
  readonly log: Logger
}

/** The apps' jobs as the queue runs them. */
export function tasksOf(apps: readonly App[], parts: TaskParts): readonly Task[] {
  return apps.flatMap((app) => app.jobs.map((job) => taskOf(job, parts)))
}

export function schedulesOf(apps: readonly App[], log: Logger): readonly ScheduledTask[] {
  return apps.flatMap((app) =>
    app.schedules.map((schedule) => ({
      name: schedule.name,
      cron: schedule.cron,
      run: () => schedule.run({ log: log.with({ schedule: schedule.name }) }),
    })),
  )
}

function taskOf(job: Job, { database, media, vault, ai, log }: TaskParts): Task {
  const { onDead } = job
  return {
    name: job.name,
    attemptsMax: job.attempts,
    timeoutMs: job.timeoutMs,
    run: async (execution: Execution) => {
      const caller = { accountId: execution.accountId }
      await job.run({
        input: job.input.parse(execution.input),
        caller,
        attempt: execution.attempt,
        signal: execution.signal,
        media,
        vault,
        ai,
        log: log.with({ job: execution.id, task: job.name }),
        progress: execution.progress,
        read: (work) => database.withCaller(caller, work, { readOnly: true }),
        finish: execution.finish,
      })
      forgetPictures()
    },
    ...(onDead
      ? {
          onDead: (of, errorCode, tx) =>
            onDead({ input: of.input, caller: { accountId: of.accountId }, tx, errorCode }),
        }
      : {}),
  }
}
