import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Secret } from '@seaworthy/core'

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
