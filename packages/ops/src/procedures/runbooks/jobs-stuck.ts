import { confirm, human, look, type Runbook } from './runbook.ts'

export const jobsStuck: Runbook = {
  title: 'Jobs pile up or fail for good',
  symptom: 'the log says "job failed for good"; effects stay in the queue',
  steps: [
    look('service', 'is there a worker, and is it ready?'),
    look('jobs', 'how many wait, and which for longest'),
    look('deadLetters', 'which failed for good, and why'),
    look('database', 'the queue is in it'),
    look('disk', 'results need space'),
    look('storage', 'and a place to go'),
    human(
      'the log has the reason of each: "job failed for good", with its job and task. Mend that first',
      'the reason',
      'deadLetters',
    ),
    human('too much work: raise WORKER_PROCESSES or WORKER_CONCURRENCY', 'fewer wait each minute', 'jobs'),
    human(
      'run them again, one by one: Operations > Failed jobs > Run again; or POST /api/operations/jobs/ID/replay',
      'the list is empty',
      'deadLetters',
    ),
    confirm('jobs', 'none waits for long'),
    confirm('deadLetters', 'none failed for good'),
  ],
}
