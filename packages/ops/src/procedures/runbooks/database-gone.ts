import { confirm, human, look, type Runbook } from './runbook.ts'

export const databaseGone: Runbook = {
  title: 'The database is gone, or only reads',
  symptom: 'the log says that the part "database" fails or that the database ended; writes answer 503',
  steps: [
    look('settings', 'DATABASE_URL must be right'),
    look('disk', 'without space it ends, or only reads'),
    look('database', 'does it answer?'),
    look('writes', 'does it write, or is it a standby?'),
    look('connections', 'are there any left?'),
    look('transactions', 'does something lock everything?'),
    look('replica', 'the standby, if there is one'),
    human(
      'the embedded server is started again by the service, which says why it cannot: "the database could not be started"',
      'the reason: space, rights, memory',
      'database',
    ),
    human(
      'a server of your own: start it (systemctl status postgresql), or promote its standby and point DATABASE_URL there',
      'psql "$DATABASE_URL" -c "select 1"',
      'database',
      'writes',
    ),
    confirm('database', 'it answers'),
    confirm('writes', 'it writes'),
    confirm('schema', 'it is the one of this release'),
  ],
}
