import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  type AccountId,
  type Caller,
  type Clock,
  fault,
  type Role,
  roles,
  type Secret,
  type UserId,
} from '@seaworthy/core'
import { errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'

export interface AccessTokens {
  issue(caller: Caller): Promise<{ token: string; expiresInSeconds: number }>
  /** Throws `unauthenticated` or `token_expired`. Synchronous when this token was verified before. */
  verify(token: string): Caller | Promise<Caller>
}

interface Verified {
  readonly caller: Caller
  readonly expiresMs: number
}

const CACHE_MAX = 20_000
const ISSUER = 'seaworthy'

/** JWT, HS256, with a key id. A verified token is remembered by its hash until it expires: verifying costs 0.2 ms. */
export function createAccessTokens(secret: Secret, lifeMs: number, clock: Clock): AccessTokens {
  const key = new TextEncoder().encode(secret.reveal())
  const kid = hash('sha256', `kid ${secret.reveal()}`).slice(0, 8)
  const verified = new LRUCache<string, Verified>({ max: CACHE_MAX })
  const issue: AccessTokens['issue'] = async (caller) => {
    const now = Math.floor(clock.now() / 1_000)
    const token = await new SignJWT({
      acc: caller.accountId,
      rol: caller.role,
      sid: caller.sessionId,
      ...(caller.operator ? { ops: true } : {}),
    })
      .setProtectedHeader({ alg: 'HS256', kid, typ: 'at+jwt' })
      .setSubject(caller.userId)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.floor(lifeMs / 1_000))
      .sign(key)
    return { token, expiresInSeconds: Math.floor(lifeMs / 1_000) }
  }
  const check = async (token: string, id: string): Promise<Caller> => {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'exp', 'acc', 'rol', 'sid'],
    }).catch((error: unknown) => {
      throw fault(error instanceof errors.JWTExpired ? 'token_expired' : 'unauthenticated', {
        internal: (error as Error).message,
        cause: error,
      })
    })
    const caller = toCaller(payload)
    verified.set(id, { caller, expiresMs: (payload.exp ?? 0) * 1_000 })
    return caller
  }
  return {
    issue,
    verify: (token) => {
      const id = hash('sha256', token, 'base64')
      const known = verified.get(id)
      if (!known) return check(token, id)
      if (known.expiresMs > clock.now()) return known.caller
      verified.delete(id)
      throw fault('token_expired')
    },
  }
}

function toCaller(payload: Record<string, unknown>): Caller {
  const role = roles.find((candidate) => candidate === payload.rol) satisfies Role | undefined
  if (!role) throw fault('unauthenticated', { internal: 'the token names no known role' })
  return Object.freeze({
    userId: payload.sub as UserId,
    accountId: payload.acc as AccountId,
    role,
    sessionId: String(payload.sid),
    operator: payload.ops === true,
  })
}

export interface RefreshToken {
  readonly text: string
  readonly sessionId: string
  /** What the database keeps. */
  readonly hash: Buffer
}

const RANDOM_BYTES = 32
const MAC_BYTES = 16

/** `<session>.<random>.<mac>`: the mac shows that we made it, so an old one that comes back is a replay and not a guess. */
export const makeRefreshToken = (sessionId: string, secret: Secret): RefreshToken =>
  assemble(sessionId, randomBytes(RANDOM_BYTES).toString('base64url'), secret)

/**
 * The one that follows a token: always the same, and nobody can work it out without the secret. So an answer that got
 * lost on the way can be given again, and many refreshes at once still make one new token.
 */
export const successorOf = (token: RefreshToken, secret: Secret): RefreshToken =>
  assemble(
    token.sessionId,
    createHmac('sha256', secret.reveal()).update(`next ${token.text}`).digest('base64url'),
    secret,
  )

function assemble(sessionId: string, random: string, secret: Secret): RefreshToken {
  const text = `${sessionId}.${random}.${mac(sessionId, random, secret)}`
  return { text, sessionId, hash: hashRandom(random, secret) }
}

/** Undefined when we did not make it. */
export function readRefreshToken(text: string, secret: Secret): RefreshToken | undefined {
  const [sessionId = '', random = '', given = '', ...rest] = text.split('.')
  if (rest.length || text.length > 200) return undefined
  const expected = Buffer.from(mac(sessionId, random, secret))
  const actual = Buffer.from(given)
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected)) return undefined
  return { text, sessionId, hash: hashRandom(random, secret) }
}

const mac = (sessionId: string, random: string, secret: Secret): string =>
  createHmac('sha256', secret.reveal())
    .update(`refresh ${sessionId} ${random}`)
    .digest()
    .subarray(0, MAC_BYTES)
    .toString('base64url')

const hashRandom = (random: string, secret: Secret): Buffer =>
  createHmac('sha256', secret.reveal()).update(`stored ${random}`).digest()
