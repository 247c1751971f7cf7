/** Who did what: one line in the transaction of each change, which nobody can edit. */
export { type AuditEntry, recordAudit } from './record.ts'
