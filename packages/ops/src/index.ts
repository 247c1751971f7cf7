/** From the definition of a system to the files that run it, and how it is deployed. */
export { type Description, describe } from './description/index.ts'
export {
  checklists,
  type Execute,
  type Gone,
  goThrough,
  type ItemReport,
  type Phase,
  phases,
  sign,
} from './procedures/checklist/index.ts'
export {
  type CheckName,
  type CommandRun,
  checks,
  type Examined,
  examine,
  type Installation,
  type Verdict,
} from './procedures/doctor/index.ts'
export {
  commandOn,
  type Deliver,
  type DeploySettings,
  deploy,
  environmentOf,
  type Finished,
  type Host,
  type HostStatus,
  identifyRelease,
  type Layout,
  layoutOf,
  type Notify,
  notifyAll,
  notifyByMail,
  notifyByWebhook,
  openDetachedRunner,
  openSystemdRunner,
  planOf,
  publicUrlOf,
  readSlots,
  readStatus,
  rollback,
  servedBy,
} from './procedures/host/index.ts'
export {
  describeRunbooks,
  type Followed,
  followRunbook,
  type Runbook,
  runbooks,
  type StepReport,
} from './procedures/runbooks/index.ts'
export { keepEdits, type RenderedFile, renderFiles, writeFiles } from './render/index.ts'
export { type Artefact, type Target, targets } from './targets/index.ts'
