import { confirm, human, look, type Runbook } from './runbook.ts'

export const memoryGrows: Runbook = {
  title: 'Memory grows',
  symptom: 'the machine swaps, the kernel ended a process (exit by SIGKILL), or a deploy was taken back for its memory',
  steps: [
    look('memory', 'what the machine has left'),
    look('processMemory', 'which process has it'),
    look('restarts', 'whether the kernel ended some'),
    look('connections', 'each connection of PostgreSQL takes some megabytes'),
    human(
      'pictures take most: fewer at a time with MEDIA_CONCURRENCY=1 and WORKER_CONCURRENCY=1',
      'processes stay below 512 MiB',
      'memory',
      'processMemory',
      'restarts',
    ),
    human(
      'a process that only grows has a leak: note its size each hour, and restart it meanwhile',
      'two sizes an hour apart',
      'memory',
      'processMemory',
      'restarts',
    ),
    confirm('memory', 'the machine has room'),
  ],
}
