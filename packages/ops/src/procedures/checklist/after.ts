import { bad, good, none } from '../doctor/finding.ts'
import { smoke } from './during.ts'
import type { Item } from './item.ts'

/** When people have met it. */
export const after: readonly Item[] = [
  { kind: 'check', name: 'health', title: 'what serves is ready', check: 'service' },
  { kind: 'check', name: 'database', title: 'the database answers', check: 'database' },
  { kind: 'check', name: 'redis', title: 'Redis answers', check: 'redis' },
  { kind: 'check', name: 'storage', title: 'files can be kept', check: 'storage' },
  { kind: 'check', name: 'mail', title: 'letters go out', check: 'mail' },
  { kind: 'check', name: 'errors', title: 'fewer than one in a hundred requests fails', check: 'errors' },
  { kind: 'check', name: 'response-times', title: 'answers come in time', check: 'latency' },
  { kind: 'check', name: 'jobs', title: 'no job waits for long', check: 'jobs' },
  { kind: 'check', name: 'failed-jobs', title: 'none failed for good', check: 'deadLetters' },
  { kind: 'judge', name: 'functional', title: 'a synthetic person can use it', look: smoke },
  {
    kind: 'judge',
    name: 'monitoring',
    title: 'metrics are served',
    look: async ({ run }) => {
      const { code, output } = await run(['health'])
      return code === 0
        ? good('the admin server answers, and every part is ready')
        : bad(output.trim(), 'seaworthy runbook service-down')
    },
  },
  {
    kind: 'judge',
    name: 'audit',
    title: 'nobody changed the audit',
    look: async ({ run, config, query }) => {
      if (!config) return none('the settings are wrong')
      await query('select 1')
      const { code, output } = await run(['audit', 'verify'])
      return code === 0
        ? good(output.trim().split('\n')[0] ?? '')
        : bad(output.trim().split('\n')[0] ?? '', 'seaworthy runbook audit-broken')
    },
  },
  {
    kind: 'run',
    name: 'benchmarks',
    title: 'times are measured and kept',
    command: ['seaworthy', 'prove', 'CAP-01', '--strict'],
    validDays: 30,
  },
  { kind: 'human', name: 'documentation', title: 'documents say what is now true', validDays: 90, covers: 'release' },
  {
    kind: 'human',
    name: 'debrief',
    title: 'the team has talked about this deployment',
    validDays: 90,
    covers: 'release',
  },
  { kind: 'human', name: 'lessons', title: 'what was learned is written down', validDays: 90, covers: 'release' },
]
