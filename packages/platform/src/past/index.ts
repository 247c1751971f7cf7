/**
 * One account or one table as it was, beside the one that runs: shown as a difference, and brought back where it is
 * wanted. The past comes from a recovery point, restored where nobody else looks.
 */
export { type Difference, findDifference, refuseSubject, type Subject, type Untouched } from './difference.ts'
export { readErasures } from './erasures.ts'
export { type Merged, type MergedTable, merge } from './merge.ts'
export { type AppTable, maskOf, neverMerged } from './rules.ts'
export type { Sides } from './sides.ts'
export type { DifferentRow, TableDifference } from './table-difference.ts'
export { type Undone, undo } from './undo.ts'
export { forgetUndo, UNDO_DAYS } from './undo-file.ts'
