import { bad, good, none, warn } from '../finding.ts'
import type { Check } from './check.ts'
import { onDatabase } from './database.ts'

const WAITING_MINUTES_WARN = 5
const WAITING_MINUTES_BAD = 30

/** Work that waits for a worker. What is to be tried again later waits on purpose. */
export const jobs: Check = {
  title: 'jobs that wait',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ waiting: number; minutes: number; task: string | null }>(
        `select count(*)::int as waiting, coalesce(extract(epoch from clock_timestamp() - min(created_at)) / 60, 0)::int as minutes,
           (array_agg(task order by created_at))[1] as task from seaworthy.jobs where state = 'waiting'`,
      )
      const { waiting, minutes, task } = row ?? { waiting: 0, minutes: 0, task: null }
      const found = waiting ? `${waiting} wait, the oldest (${task}) for ${minutes} min` : 'none waits'
      if (minutes >= WAITING_MINUTES_BAD) return bad(found, 'seaworthy runbook jobs-stuck')
      return minutes >= WAITING_MINUTES_WARN ? warn(found, 'seaworthy runbook jobs-stuck') : good(found)
    }),
}

export const deadLetters: Check = {
  title: 'jobs that failed for good',
  look: (here) =>
    onDatabase(here, async () => {
      const rows = await here.query<{ task: string; code: string; count: number }>(
        `select task, coalesce(error_code, 'unknown') as code, count(*)::int as count from seaworthy.jobs where state = 'dead'
         group by 1, 2 order by 3 desc limit 5`,
      )
      return rows.length
        ? warn(
            rows.map(({ task, code, count }) => `${count} ${task} (${code})`).join(', '),
            'seaworthy runbook jobs-stuck',
          )
        : good('none')
    }),
}

const SEAL_SECONDS_WARN = 30
const SEAL_SECONDS_BAD = 600

/** Lines that are not sealed yet could be changed unseen. */
export const audit: Check = {
  title: 'seals of the audit',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ seconds: number; lines: number }>(
        'select seconds::int, lines::int from seaworthy.seal_lag()',
      )
      const { seconds, lines } = row ?? { seconds: 0, lines: 0 }
      const found = lines ? `${lines} lines wait, the oldest for ${seconds} s` : 'every line is sealed'
      if (seconds > SEAL_SECONDS_BAD) return bad(found, 'seaworthy runbook audit-broken')
      return seconds > SEAL_SECONDS_WARN ? warn(found, 'seaworthy runbook audit-broken') : good(found)
    }),
}

/** Sign-ins that were ended because their token was used twice: somebody had a copy. */
export const stolen: Check = {
  title: 'sign-ins that were copied',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ count: number; people: number }>(
        `select count(*)::int as count, count(distinct user_id)::int as people from seaworthy.sessions
         where revoked_why = 'reuse' and revoked_at > now() - interval '1 day'`,
      )
      return row?.count
        ? warn(
            `${row.count} of ${row.people} people were ended within a day`,
            'seaworthy runbook account-misused --about EMAIL',
          )
        : good('none within a day')
    }),
}

/** Whose requests the audit refused most often today. */
export const refusals: Check = {
  title: 'refusals by the audit',
  look: (here) =>
    onDatabase(here, async () => {
      const rows = await here.query<{ action: string; who: string; count: number }>(
        `select action, coalesce(user_id::text, 'nobody') as who, count(*)::int as count from seaworthy.audit
         where outcome = 'refused' and created_at > now() - interval '1 day' group by 1, 2 order by 3 desc limit 3`,
      )
      if (rows.length === 0) return none('no refusal within a day')
      const found = rows.map(({ action, who, count }) => `${count} × ${action} by ${who}`).join(', ')
      return (rows[0]?.count ?? 0) >= REFUSALS_WARN
        ? warn(found, 'seaworthy audit list --security --outcome refused --since 1d')
        : good(found)
    }),
}

const REFUSALS_WARN = 20
