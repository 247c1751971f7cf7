import { assert, fault } from '@seaworthy/core'
import { decrypt, encrypt } from './cipher.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import { nameOf, type OwnerColumns, type Purpose, wrapContextOf } from './place.ts'

/** A row of `seaworthy.account_keys` as far as its key goes. */
export interface WrappedKey {
  readonly purpose: Purpose
  readonly version: number
  readonly wrapped: string
}

const form = /^swk1\.([0-9a-f]{16})\.([\w-]+)$/

/** `swk1.<fingerprint of the key that wraps>.<cipher text>` */
export function wrapKey(by: RingKey, owner: OwnerColumns, purpose: Purpose, version: number, key: Buffer): string {
  return `swk1.${by.id}.${encrypt(by.bytes, wrapContextOf(owner, purpose, version), key)}`
}

/** Throws `sealed_unreadable` when its ring key is missing or the row is not what it was. */
export function unwrapKey(ring: KeyRing, owner: OwnerColumns, { purpose, version, wrapped }: WrappedKey): Buffer {
  const [, id = '', text = ''] = form.exec(wrapped) ?? []
  const by = ring.find(id)
  if (!by)
    throw fault('sealed_unreadable', {
      internal: `the ${purpose} key ${version} of ${nameOf(owner)} is wrapped by the key ${id || 'of no known form'}, which is not in ENCRYPTION_KEY or ENCRYPTION_KEYS_OLD`,
    })
  const key = decrypt(by.bytes, wrapContextOf(owner, purpose, version), text)
  if (!key)
    throw fault('sealed_unreadable', { internal: `the ${purpose} key ${version} of ${nameOf(owner)} was changed` })
  assert(key.length === 32, 'a data key has 256 bits')
  return key
}
