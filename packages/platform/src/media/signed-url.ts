import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AccountId, Secret } from '@seaworthy/core'

/** `original`, or a width and a format: `640.webp`. */
export type Variant = 'original' | `${number}.${'webp' | 'avif'}`

export interface MediaAddress {
  readonly accountId: AccountId
  readonly hash: string
  readonly variant: Variant
}

const widths = new Set([160, 320, 640, 1080, 1600])
const form =
  /^\/media\/([0-9a-f-]{36})\/([0-9a-f]{64})\/(original|(\d{2,4})\.(?:webp|avif))\?e=(\d{1,12})&s=([\w-]{22})$/
const SIGNATURE_BYTES = 16

/**
 * An address of a private file that anybody may read until it expires. The end is rounded up to the next quarter of
 * `lifeMs`, so that the same file has the same address for a while and browsers keep it.
 */
export function signMediaUrl(address: MediaAddress, secret: Secret, nowMs: number, lifeMs: number): string {
  const step = lifeMs / 4
  const expires = Math.ceil((nowMs + lifeMs) / step) * (step / 1_000)
  const path = `/media/${address.accountId}/${address.hash}/${address.variant}`
  return `${path}?e=${Math.round(expires)}&s=${sign(path, String(Math.round(expires)), secret)}`
}

/** What the address names, or why it opens nothing. */
export function readMediaUrl(
  url: string,
  secret: Secret,
  nowMs: number,
): { ok: true; address: MediaAddress; secondsLeft: number } | { ok: false; reason: 'unknown' | 'expired' } {
  const match = form.exec(url)
  if (!match) return { ok: false, reason: 'unknown' }
  const [, accountId = '', hash = '', variant = '', width, expires = '', given = ''] = match
  const expected = sign(`/media/${accountId}/${hash}/${variant}`, expires, secret)
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return { ok: false, reason: 'unknown' }
  if (width && !widths.has(Number(width))) return { ok: false, reason: 'unknown' }
  const secondsLeft = Number(expires) - Math.floor(nowMs / 1_000)
  if (secondsLeft <= 0) return { ok: false, reason: 'expired' }
  return { ok: true, address: { accountId: accountId as AccountId, hash, variant: variant as Variant }, secondsLeft }
}

function sign(path: string, expires: string, secret: Secret): string {
  return createHmac('sha256', secret.reveal())
    .update(`${path}\n${expires}`)
    .digest()
    .subarray(0, SIGNATURE_BYTES)
    .toString('base64url')
}
