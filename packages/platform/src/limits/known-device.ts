import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A browser that signed in before: its id, and for each account that it knows a mac that only we can make. */
export interface KnownDevice {
  readonly id: string
  readonly macs: readonly string[]
}

const ID_BYTES = 16
const MAC_BYTES = 16
const ACCOUNTS_MAX = 5
const form = /^[\w-]{22}(\.[\w-]{22}){1,5}$/

/** What a cookie says; nothing of it is believed before `knows`. */
export function readDevice(cookie: string | undefined): KnownDevice | undefined {
  if (!cookie || !form.test(cookie)) return undefined
  const [id = '', ...macs] = cookie.split('.')
  return { id, macs }
}

/** Whether this browser signed in to the account before. The name of the account is in no cookie. */
export function knows(device: KnownDevice, subject: string, key: string): boolean {
  const expected = Buffer.from(macOf(device.id, subject, key))
  return device.macs.some((mac) => timingSafeEqual(Buffer.from(mac), expected))
}

/** The cookie from now on: this account first, and at most four that it knew before. */
export function introduce(device: KnownDevice | undefined, subject: string, key: string): string {
  const id = device?.id ?? randomBytes(ID_BYTES).toString('base64url')
  const mac = macOf(id, subject, key)
  const others = (device?.macs ?? []).filter((known) => known !== mac)
  return [id, mac, ...others].slice(0, 1 + ACCOUNTS_MAX).join('.')
}

const macOf = (id: string, subject: string, key: string): string =>
  createHmac('sha256', key).update(`device\0${id}\0${subject}`).digest().subarray(0, MAC_BYTES).toString('base64url')
