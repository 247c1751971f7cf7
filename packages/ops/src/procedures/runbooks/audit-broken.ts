import { confirm, human, look, type Runbook } from './runbook.ts'

export const auditBroken: Runbook = {
  title: 'The audit is not sealed, or was changed',
  symptom:
    'the log says that the part "audit" fails, that a change could not be audited, or that heads could not be kept',
  steps: [
    look('database', 'the audit is in it'),
    look('writes', 'and must be written'),
    look('disk', 'heads are kept in DATA_DIR/audit'),
    look('audit', 'lines that wait for their seal'),
    look('service', 'the web processes seal'),
    { kind: 'list', text: 'follow every chain', command: ['audit', 'verify'], judged: true },
    human(
      'CHANGED or REMOVED lines: somebody wrote to the database past the service. Keep a copy of the database as it is, before anything else',
      'a copy that nobody changes',
    ),
    human(
      'an older database was put back on purpose: seaworthy audit verify --after-restore',
      'the audit is as it was written',
    ),
    confirm('audit', 'every line is sealed'),
  ],
}
