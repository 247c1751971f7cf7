import { z } from 'zod'
import {
  type Access,
  type Identity,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  type SignedIn,
} from '../../../identity/index.ts'
import type { Guard } from '../../../limits/index.ts'

export interface IdentityRouteSettings {
  readonly refreshMs: number
  readonly secure: boolean
  /** Where links lead. */
  readonly publicUrl: string
  /** What API keys can be made for. */
  readonly scopes: readonly string[]
  /** Of the pages that this release serves. */
  readonly webBuild?: string
}

/** What the files of these routes share. */
export interface IdentityParts {
  readonly identity: Identity
  readonly guard: Guard
  readonly cookie: ReturnType<typeof cookieOf>
  readonly device: ReturnType<typeof deviceCookieOf>
  readonly scopes: readonly string[]
  readonly publicUrl: string
  readonly webBuild?: string | undefined
}

const tooShort = `must have at least ${PASSWORD_LENGTH_MIN} characters`

/** Any characters; one that takes two places in memory counts as one. */
export const password = z
  .string()
  .min(PASSWORD_LENGTH_MIN, tooShort)
  .max(PASSWORD_LENGTH_MAX, `may have at most ${PASSWORD_LENGTH_MAX} characters`)
  .refine((text) => [...text.normalize('NFC')].length >= PASSWORD_LENGTH_MIN, tooShort)
/** What somebody says is their password. Longer than one can be, because there are longer ways to write the same. */
export const givenPassword = z.string().max(4 * PASSWORD_LENGTH_MAX)
/** No space, no control character, and nothing that separates addresses or names from them. */
const addressPart = '[^\\s\\u0000-\\u001f\\u007f-\\u009f@,;<>()"]+'
/** One address, and nothing that mail would take for more than that. */
export const email = z
  .string()
  .trim()
  .min(3)
  .max(254)
  .regex(new RegExp(`^${addressPart}@${addressPart}\\.${addressPart}$`), 'is not an e-mail address')
export const linkToken = z.string().min(1).max(100)
/** The answer to whoever asked for a mail. */
export const OnItsWay = z.object({ message: z.string() })

export const Session = z.object({
  accessToken: z.string(),
  expiresInSeconds: z.number().int(),
  user: z.object({ id: z.string(), accountId: z.string(), role: z.string(), operator: z.boolean() }),
})

export const sessionOf = ({ caller, accessToken, expiresInSeconds }: Access) => ({
  accessToken,
  expiresInSeconds,
  user: { id: caller.userId, accountId: caller.accountId, role: caller.role, operator: caller.operator },
})

export const answerWith = <const S extends number>(
  cookie: IdentityParts['cookie'],
  status: S,
  signedIn: SignedIn,
  ...others: readonly string[]
) => ({
  status,
  body: sessionOf(signedIn),
  headers: { 'set-cookie': [cookie.set(signedIn.refreshToken), ...others] },
  resource: signedIn.caller.userId,
})

/** With https the browser itself guarantees by the name's prefix that the cookie came over TLS from this host. */
export function cookieOf(settings: Pick<IdentityRouteSettings, 'refreshMs' | 'secure'>) {
  const name = settings.secure ? '__Host-refresh' : 'refresh'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${settings.secure ? '; Secure' : ''}`
  return {
    name,
    set: (token: string) => `${name}=${token}; Max-Age=${Math.floor(settings.refreshMs / 1_000)}; ${attributes}`,
    clear: `${name}=; Max-Age=0; ${attributes}`,
  }
}

const DEVICE_SECONDS = 180 * 86_400

/** A browser that signed in before has tries of its own: strangers who guess cannot lock it out. */
export function deviceCookieOf({ secure }: Pick<IdentityRouteSettings, 'secure'>) {
  const name = secure ? '__Host-device' : 'device'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return { name, set: (value: string) => `${name}=${value}; Max-Age=${DEVICE_SECONDS}; ${attributes}` }
}

export const deviceOf = (header: (name: string) => string | undefined, network: string) => ({
  network,
  name: header('user-agent') ?? 'unknown',
})
