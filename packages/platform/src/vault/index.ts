/**
 * Sealed fields. Three layers of keys: the ring (outside the database) wraps one data key per owner (in the database),
 * and each value is encrypted with a key derived from it. Rotating the ring therefore touches keys, not rows.
 */

export { decrypt, encrypt, lengthPrefixed } from './cipher.ts'
export { isRingRememberedOrThrow, readMissingKeys, rememberRingOrThrow, WrongKeyError } from './fingerprints.ts'
export { createKeyAgeCheck } from './key-age.ts'
export { type KeyRing, openKeyRing, type RingConfig, ringOf } from './key-ring.ts'
export { type OpenedKit, openKit, PASSPHRASE_MIN, writeKit } from './kit.ts'
export { recordKitVerified, unverifiedKeys } from './kit-record.ts'
export type { Owner, Place } from './place.ts'
export {
  deleteProviderKey,
  listProviderKeys,
  type ProviderKey,
  putProviderKey,
  readProviderKey,
} from './provider-keys.ts'
export type { Refreshed, RefreshSettings } from './refresh.ts'
export { adoptKeys } from './ring-files.ts'
export {
  type KeyTools,
  lockKeys,
  type RingRotation,
  refreshAll,
  retireRingKeys,
  rotateDataKeys,
  rotateRing,
} from './rotate.ts'
export { openSample, type Sampled } from './sample.ts'
export { platformSealedColumns, type SealedColumn, sealedColumnsOf } from './sealed-columns.ts'
export {
  isShare,
  type NamedText,
  type OpenedShares,
  openShares,
  parseSplit,
  type Split,
  writeShares,
} from './shares.ts'
export { type ColumnStatus, type KeyStatus, keyStatus, RING_KEY_DAYS_MAX, type RingKeyStatus } from './status.ts'
export { DamagedStreamError, sealStream, unsealStream } from './stream.ts'
export { openVault, type Vault } from './vault.ts'
