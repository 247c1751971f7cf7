import { createDecipheriv, createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import type { Stack } from './stack.ts'

/** A key as the database keeps it, which signs access tokens. */
export interface SigningKeyRow {
  readonly id: string
  readonly public_key: Buffer
  readonly private_sealed: Buffer
  readonly createdSeconds: number
}

/** The newest first. */
export async function signingKeysOf(stack: Stack): Promise<SigningKeyRow[]> {
  const { rows } = await (await stack.database()).query<SigningKeyRow>(
    'select id, public_key, private_sealed, extract(epoch from created_at)::float8 as "createdSeconds" from seaworthy.signing_keys order by created_at desc',
  )
  return rows
}

/** What somebody has who took the database and the secret of the installation with them. */
export function stealKey({ dataDirectory }: Stack, { id, public_key, private_sealed }: SigningKeyRow): KeyObject {
  const secret = readFileSync(join(dataDirectory, 'secrets', 'JWT_ACCESS_SECRET'), 'utf8').trim()
  const wrapping = Buffer.from(hkdfSync('sha256', secret, '', 'seaworthy signing keys', 32))
  const cipher = createDecipheriv('aes-256-gcm', wrapping, private_sealed.subarray(0, 12), { authTagLength: 16 })
    .setAAD(Buffer.concat([Buffer.from(id), public_key]))
    .setAuthTag(private_sealed.subarray(12, 28))
  const key = Buffer.concat([cipher.update(private_sealed.subarray(28)), cipher.final()])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** The token with other times, signed anew. */
export function forgeToken(token: string, key: KeyObject, fromSeconds: number, lifeSeconds: number): Promise<string> {
  const iat = Math.floor(fromSeconds)
  const claims = { ...decodeJwt(token), iat, exp: iat + lifeSeconds }
  return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', ...decodeProtectedHeader(token) }).sign(key)
}

export const keyIdOf = (token: string): string => String(decodeProtectedHeader(token).kid)

/** In seconds since 1970. */
export const issuedAt = (token: string): number => Number(decodeJwt(token).iat)

type PublishedKeys = Parameters<typeof createLocalJWKSet>[0]

export const publishedKeys = async (url: string): Promise<PublishedKeys> =>
  (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as PublishedKeys

/** Those that jose does not verify with these keys. */
export async function unverified(tokens: readonly string[], keys: PublishedKeys): Promise<string[]> {
  const set = createLocalJWKSet(keys)
  const wrong: string[] = []
  for (const token of tokens) await compactVerify(token, set).catch(() => wrong.push(token))
  return wrong
}
