import type { Sealed } from '../data/index.ts'
import { decrypt, encrypt } from './cipher.ts'
import type { DataKey } from './data-keys.ts'
import { contextOf, FORMAT, type Place } from './place.ts'

/** Salt, nonce and tag alone are 44 bytes: 59 letters. */
const form = /^sw1\.([1-9]\d{0,3})\.([\w-]{59,})$/

/** By its form: a value says itself that it is sealed. A file that somebody called `sw1.jpg` is not. */
export const isSealed = (stored: string): stored is Sealed => form.test(stored)

/** Of the data key that it is sealed with; undefined when it has not the form. */
export function versionOf(sealed: string): number | undefined {
  const version = form.exec(sealed)?.[1]
  return version === undefined ? undefined : Number(version)
}

/** `sw1.<version of the data key>.<cipher text>` */
export function sealWith(key: DataKey, place: Place, text: string): Sealed {
  return `${FORMAT}.${key.version}.${encrypt(key.bytes, contextOf(place, key.version), Buffer.from(text))}` as Sealed
}

/** Undefined when none of these keys opens it at this place. */
export function openWith(keys: readonly DataKey[], place: Place, sealed: string): string | undefined {
  const [, version, text = ''] = form.exec(sealed) ?? []
  const key = keys.find((candidate) => candidate.version === Number(version))
  return key && decrypt(key.bytes, contextOf(place, key.version), text)?.toString()
}
