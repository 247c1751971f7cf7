import { z } from 'zod'
import type { Access, Identity, SignedIn } from '../../../identity/index.ts'

export interface IdentityRouteSettings {
  readonly refreshMs: number
  readonly secure: boolean
  /** Where links lead. */
  readonly publicUrl: string
  /** What API keys can be made for. */
  readonly scopes: readonly string[]
}

/** What the files of these routes share. */
export interface IdentityParts {
  readonly identity: Identity
  readonly cookie: ReturnType<typeof cookieOf>
  readonly scopes: readonly string[]
  readonly publicUrl: string
}

export const password = z.string().min(8, 'must have at least 8 characters').max(128, 'may have at most 128 characters')
export const givenPassword = z.string().max(128)
export const email = z
  .string()
  .trim()
  .min(3)
  .max(254)
  .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'is not an e-mail address')

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

export const answerWith = <const S extends number>(cookie: IdentityParts['cookie'], status: S, signedIn: SignedIn) => ({
  status,
  body: sessionOf(signedIn),
  headers: { 'set-cookie': cookie.set(signedIn.refreshToken) },
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

export const deviceOf = (header: (name: string) => string | undefined, network: string) => ({
  network,
  name: header('user-agent') ?? 'unknown',
})
