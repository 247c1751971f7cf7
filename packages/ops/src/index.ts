/** From the definition of a system to the files that run it, and how it is deployed. */
export { type Description, describe } from './description/index.ts'
export {
  commandOn,
  type DeploySettings,
  deploy,
  type Finished,
  type Host,
  type HostStatus,
  identifyRelease,
  type Layout,
  layoutOf,
  type Notify,
  notifyByWebhook,
  openDetachedRunner,
  openSystemdRunner,
  planOf,
  publicUrlOf,
  readStatus,
  rollback,
  servedBy,
} from './procedures/host/index.ts'
export { keepEdits, type RenderedFile, renderFiles, writeFiles } from './render/index.ts'
export { type Artefact, type Target, targets } from './targets/index.ts'
