/**
 * Who did what: one line in the transaction of each change, which nobody can edit, sealed into a chain for each account
 * within a second, so that whoever edits it all the same is found out.
 */
export { type AuditFormat, auditFormats, csvHeader, showLine, toCsv, toJsonLines } from './format.ts'
export { type HeadsFile, type KnownHeads, openHeadsFile } from './heads.ts'
export type { AuditLine } from './line.ts'
export { type ActionStatistics, type AuditFilter, readLines, readStatistics } from './read.ts'
export {
  type AuditDetails,
  type AuditEntry,
  type AuditKind,
  type EventOrigin,
  recordAudit,
  recordEvent,
  type SecurityEvent,
} from './record.ts'
export { createSealKey, type SealKey } from './seal.ts'
export { checkSealLag, readSealLag, type Sealer, type SealerParts, sealWaiting, startSealer } from './sealer.ts'
export { type AuditFault, type AuditVerdict, verifyAudit } from './verify.ts'
