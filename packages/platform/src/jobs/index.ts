/** Work that outlives a request: enqueued in the caller's transaction, run by workers, its effect counted once. */
export { type DeadLetter, listDeadLetters, replayDeadLetter } from './dead-letters.ts'
export { migrateQueue, type RunningQueue } from './drivers/graphile.ts'
export { cancelJob, type EnqueueOptions, enqueue, type JobView, viewJobs } from './queue.ts'
export { hasQueue } from './queue-mark.ts'
export { type Execution, type ScheduledTask, Superseded, type Task } from './task.ts'
export { startWorker, type WorkerParts } from './worker.ts'
