import { hash } from 'node:crypto'
import { type AccountId, type Caller, type Clock, fault, type Role, roles, type UserId } from '@seaworthy/core'
import { errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import type { SigningKeys } from './signing-keys.ts'

/** A caller, and which version of the session the token was made for. */
export interface Known {
  readonly caller: Caller
  readonly version: number
}

export interface AccessTokens {
  issue(known: Known): Promise<{ token: string; expiresInSeconds: number }>
  /** Throws `unauthenticated` or `token_expired`. Synchronous when this token was verified before. */
  verify(token: string): Known | Promise<Known>
}

interface Verified {
  readonly known: Known
  readonly keyId: string
  readonly expiresMs: number
}

export interface AccessTokenSettings {
  readonly keys: Pick<SigningKeys, 'current' | 'find' | 'has'>
  readonly lifeMs: number
  readonly clock: Clock
}

const CACHE_MAX = 20_000
const ISSUER = 'seaworthy'

/** JWT, Ed25519, with a key id. A verified token is remembered by its hash until it expires: verifying costs 0.2 ms. */
export function createAccessTokens({ keys, lifeMs, clock }: AccessTokenSettings): AccessTokens {
  const verified = new LRUCache<string, Verified>({ max: CACHE_MAX })
  const issue: AccessTokens['issue'] = async ({ caller, version }) => {
    const now = Math.floor(clock.now() / 1_000)
    const { id: kid, privateKey } = keys.current()
    const token = await new SignJWT({ ...claimsOf(caller), ver: version })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt' })
      .setSubject(caller.userId)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.floor(lifeMs / 1_000))
      .sign(privateKey)
    return { token, expiresInSeconds: Math.floor(lifeMs / 1_000) }
  }
  const publicKeyOf = async ({ kid }: { kid?: string }) => {
    const key = kid === undefined ? undefined : await keys.find(kid)
    if (!key) throw fault('unauthenticated', { internal: 'the token names no key of ours' })
    return key.publicKey
  }
  const check = async (token: string, id: string): Promise<Known> => {
    const { payload, protectedHeader } = await jwtVerify(token, publicKeyOf, {
      algorithms: ['EdDSA'],
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'exp', 'acc', 'rol', 'sid', 'ver', 'auth_time'],
    }).catch((error: unknown) => {
      throw fault(error instanceof errors.JWTExpired ? 'token_expired' : 'unauthenticated', {
        internal: (error as Error).message,
        cause: error,
      })
    })
    const known = { caller: toCaller(payload), version: Number(payload.ver) }
    verified.set(id, { known, keyId: protectedHeader.kid ?? '', expiresMs: (payload.exp ?? 0) * 1_000 })
    return known
  }
  return {
    issue,
    verify: (token) => {
      const id = hash('sha256', token, 'base64')
      const found = verified.get(id)
      // A key that has gone takes with it what it signed, seen before or not.
      if (!found || !keys.has(found.keyId)) return check(token, id)
      if (found.expiresMs > clock.now()) return found.known
      verified.delete(id)
      throw fault('token_expired')
    },
  }
}

const claimsOf = (caller: Caller) => ({
  acc: caller.accountId,
  rol: caller.role,
  sid: caller.sessionId,
  auth_time: Math.floor(caller.authenticatedAtMs / 1_000),
  ...(caller.secondFactor ? { mfa: true } : {}),
  ...(caller.operator ? { ops: true } : {}),
})

function toCaller(payload: Record<string, unknown>): Caller {
  const role = roles.find((candidate) => candidate === payload.rol) satisfies Role | undefined
  if (!role) throw fault('unauthenticated', { internal: 'the token names no known role' })
  return Object.freeze({
    userId: payload.sub as UserId,
    accountId: payload.acc as AccountId,
    role,
    sessionId: String(payload.sid),
    authenticatedAtMs: Number(payload.auth_time) * 1_000,
    secondFactor: payload.mfa === true,
    operator: payload.ops === true,
  })
}
