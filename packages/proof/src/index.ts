/** Claims about the product, experiments that measure them, and sabotages that show that the experiments can fail. */
export { type Claim, defineClaim, type Tier } from './claim.ts'
export { proveApp } from './general/prove-app.ts'
export { listClaims, type Proved, type ProveOptions, prove } from './prove.ts'
export { checkReceipt, type Receipt, type ReceiptState } from './report/receipt.ts'
