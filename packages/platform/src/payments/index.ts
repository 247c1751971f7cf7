/** Credits: a double-entry ledger of whole numbers. */
export {
  type Balance,
  captureHold,
  grantCredits,
  holdCredits,
  type LedgerLine,
  readBalance,
  readLines,
  releaseHold,
} from './ledger.ts'
