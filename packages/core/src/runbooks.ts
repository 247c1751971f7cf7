/** The runbooks there are. An alarm in the log names one of them; `seaworthy runbook NAME` follows it. */
export const runbookNames = [
  'service-down',
  'bad-deploy',
  'requests-fail',
  'memory-grows',
  'database-gone',
  'database-worn',
  'disk-full',
  'redis-gone',
  'jobs-stuck',
  'certificate-ends',
  'keys-lost',
  'backups-behind',
  'account-misused',
  'audit-broken',
  'provider-down',
  'too-many-refused',
] as const

export type RunbookName = (typeof runbookNames)[number]
