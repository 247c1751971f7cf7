/** Credits: a double-entry ledger of whole numbers. */
export {
  type Balance,
  captureHold,
  grantCredits,
  holdCredits,
  type LedgerEntry,
  readBalance,
  readEntries,
  releaseHold,
} from './ledger.ts'
