/** What to do when something is wrong. Each alarm in the log names one of these. */
import type { RunbookName } from '@seaworthy/core'
import { accountMisused } from './account-misused.ts'
import { auditBroken } from './audit-broken.ts'
import { backupsBehind } from './backups-behind.ts'
import { badDeploy } from './bad-deploy.ts'
import { certificateEnds } from './certificate-ends.ts'
import { databaseGone } from './database-gone.ts'
import { databaseWorn } from './database-worn.ts'
import { diskFull } from './disk-full.ts'
import { jobsStuck } from './jobs-stuck.ts'
import { keysLost } from './keys-lost.ts'
import { memoryGrows } from './memory-grows.ts'
import { providerDown } from './provider-down.ts'
import { redisGone } from './redis-gone.ts'
import { requestsFail } from './requests-fail.ts'
import type { Runbook } from './runbook.ts'
import { serviceDown } from './service-down.ts'
import { tooManyRefused } from './too-many-refused.ts'

export { describeRunbooks } from './describe.ts'
export { type Followed, followRunbook, type StepReport } from './follow.ts'
export type { Runbook } from './runbook.ts'

export const runbooks: Readonly<Record<RunbookName, Runbook>> = {
  'service-down': serviceDown,
  'bad-deploy': badDeploy,
  'requests-fail': requestsFail,
  'memory-grows': memoryGrows,
  'database-gone': databaseGone,
  'database-worn': databaseWorn,
  'disk-full': diskFull,
  'redis-gone': redisGone,
  'jobs-stuck': jobsStuck,
  'certificate-ends': certificateEnds,
  'keys-lost': keysLost,
  'backups-behind': backupsBehind,
  'account-misused': accountMisused,
  'audit-broken': auditBroken,
  'provider-down': providerDown,
  'too-many-refused': tooManyRefused,
}
