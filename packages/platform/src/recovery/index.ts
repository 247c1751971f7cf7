/**
 * Recovery points: base, log, files, keys and release of one instant, in stores outside this machine, and the way back.
 * Writes run beside everything else and never stop it; a restore never touches what is in use.
 */
export { type BackUpResult, type BackUpSettings, backUp } from './back-up.ts'
export { backUpAndRecord } from './back-up-and-record.ts'
export { type BackupStatus, checkRecovery, readBackupStatus } from './condition.ts'
export { type AttemptLine, attempt, type Order, type UseLine } from './drill/attempt.ts'
export { type DrillSettings, drill } from './drill/drill.ts'
export { isDrillDue } from './drill/due.ts'
export {
  type DrillMark,
  type DrillReport,
  type DrillStatus,
  markDrilled,
  readDrillHistory,
  readDrillStatus,
  recordDrill,
  trendOf,
} from './drill/report.ts'
export { findRestic, type Restic } from './drivers/restic.ts'
export { estimateSeconds } from './estimate.ts'
export { offerRestore, type RecoveryOverview, type RestoreOffer, readOverview, recordStores } from './overview.ts'
export { identityOf, openShelf, type Places, parseBucket, placesOf, shelvesOf } from './places.ts'
export { type ListedPoint, listPoints, type Point } from './point.ts'
export { type KeyHolder, policyOf } from './policy.ts'
export {
  closePast,
  type Destination,
  neededBytes,
  openPast,
  type Past,
  type Restored,
  refuseRunning,
  restore,
} from './restore.ts'
export { type Plan, parseTarget, planRestore, type Target } from './restore-plan.ts'
export { type Forgotten, keepStore } from './retention.ts'
export { isBackupDue } from './schedule.ts'
export type { Shelf } from './shelf.ts'
export { keyOfBlob, shipOnce } from './ship.ts'
export { keepShipping, readShippingStatus } from './shipper.ts'
export { readErasures } from './state.ts'
export { openStore, type Store } from './store.ts'
export { describeStore, type PointView, type StoreView } from './store-view.ts'
