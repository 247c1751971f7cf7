import { Secret, TOTP } from 'otpauth'

/** RFC 6238 as authenticator apps know it: SHA-1, six digits, half a minute. */
const PERIOD_SECONDS = 30
const SECRET_BYTES = 20
/** One step early or late, for clocks that differ. */
const WINDOW = 1

/** In base 32, as people type it. */
export const makeTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32

/** What the picture that an app scans says. */
export const totpAddress = (secret: string, label: string, issuer: string): string =>
  new TOTP({ issuer, label, secret, period: PERIOD_SECONDS }).toString()

/** The half minute since 1970 that the code is of; undefined when it is not near now. */
export function totpStepOf(secret: string, code: string, nowMs: number): number | undefined {
  const totp = new TOTP({ secret, period: PERIOD_SECONDS })
  const delta = totp.validate({ token: code, timestamp: nowMs, window: WINDOW })
  return delta === null ? undefined : Math.floor(nowMs / 1_000 / PERIOD_SECONDS) + delta
}
