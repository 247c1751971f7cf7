/**
 * Sealed fields. Three layers of keys: the ring (outside the database) wraps one data key per owner (in the database),
 * and each value is encrypted with a key derived from it. Rotating the ring therefore touches keys, not rows.
 */
export { rememberRingOrThrow, WrongKeyError } from './fingerprints.ts'
export { type KeyRing, openKeyRing, ringOf } from './key-ring.ts'
export type { Owner, Place } from './place.ts'
export { platformSealedColumns, type SealedColumn, sealedColumnsOf } from './sealed-columns.ts'
export { openVault, type Vault } from './vault.ts'
