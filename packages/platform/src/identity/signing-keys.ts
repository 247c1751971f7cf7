import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { type Clock, MINUTE, present, SECOND, type Secret } from '@seaworthy/core'
import { exportJWK, type JWK } from 'jose'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'

interface SigningKey {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The Ed25519 keys of this installation: one signs, the ones before it still verify. */
export interface SigningKeys {
  current(): SigningKey
  /** Whether what this key signed is still believed, as far as this process knows. */
  has(id: string): boolean
  /** Undefined when we have no key of this id, also after asking the database: another process may have made it. */
  find(id: string): Promise<SigningKey | undefined>
  /** The public halves, as RFC 7517 writes them. */
  publicKeys(): Promise<{ keys: JWK[] }>
  stop(): void
}

export interface SigningKeySettings {
  readonly database: Database
  /** Encrypts the private halves. Another secret means other keys: tokens signed before are refused. */
  readonly secret: Secret
  /** How long a token lives: so long an old key is needed. */
  readonly accessMs: number
  /** A key signs for this long before the next one takes over. */
  readonly rotateMs: number
  readonly clock: Clock
  readonly log: Logger
}

interface KnownKey extends SigningKey {
  readonly createdMs: number
}

/** Every process reads the keys this often, */
const READ_MS = 30 * SECOND
/** so a key that is twice as old is known to all of them, and may sign. */
const KNOWN_AFTER_MS = 2 * READ_MS
/** Made-up key ids do not make us ask more often than this. */
const ASK_AGAIN_MS = SECOND

export async function openSigningKeys(settings: SigningKeySettings): Promise<SigningKeys> {
  const { clock, log } = settings
  let known = await readOrMake(settings)
  let ids = idsOf(known)
  let readMs = clock.now()
  const read = async (): Promise<void> => {
    readMs = clock.now()
    known = await readOrMake(settings)
    ids = idsOf(known)
  }
  const timer = setInterval(
    () => void read().catch((error: unknown) => log.warn('signing keys could not be read; asking again', { error })),
    READ_MS,
  )
  timer.unref()
  const byId = (id: string): SigningKey | undefined => known.find((key) => key.id === id)
  return {
    current: () => signerOf(known, clock.now()),
    has: (id) => ids.has(id),
    find: async (id) => {
      if (!byId(id) && Math.abs(clock.now() - readMs) > ASK_AGAIN_MS) await read()
      return byId(id)
    },
    publicKeys: async () => ({
      keys: await Promise.all(
        known.map(async ({ id, publicKey }) => ({
          ...(await exportJWK(publicKey)),
          kid: id,
          use: 'sig',
          alg: 'EdDSA',
        })),
      ),
    }),
    stop: () => clearInterval(timer),
  }
}

const idsOf = (keys: readonly KnownKey[]): ReadonlySet<string> => new Set(keys.map((key) => key.id))

/** The newest key that every process knows; when there is none yet, the oldest. Newest first. */
function signerOf(keys: readonly KnownKey[], now: number): SigningKey {
  const signer = keys.find((key) => now - key.createdMs >= KNOWN_AFTER_MS) ?? keys.at(-1)
  return present(signer, 'a signing key')
}

/** One process at a time makes a key when it is due, and removes those whose tokens have all ended. */
async function readOrMake(settings: SigningKeySettings): Promise<readonly KnownKey[]> {
  const { database, secret, rotateMs, clock } = settings
  const needed = (keys: readonly KnownKey[]) => keys.filter((_, i) => mayHaveTokens(keys[i - 1], settings))
  const isDue = (keys: readonly KnownKey[]): boolean => !keys[0] || clock.now() - keys[0].createdMs >= rotateMs
  const known = await database.withDuty('identity', (tx) => readKeys(tx, secret), { readOnly: true })
  if (!isDue(known)) return needed(known)
  return database.withDuty('identity', async (tx) => {
    await tx.run(sql`select pg_advisory_xact_lock(7305811)`)
    const keys = await readKeys(tx, secret)
    if (!isDue(keys)) return needed(keys)
    const made = makeKey(clock.now())
    await tx.run(sql`
      insert into seaworthy.signing_keys (id, public_key, private_sealed, created_at)
      values (${made.id}, ${publicBytes(made)}, ${sealPrivate(made, secret)}, ${new Date(made.createdMs)})`)
    const kept = needed([made, ...keys])
    await tx.run(sql`delete from seaworthy.signing_keys where not (id = any (${kept.map((key) => key.id)}))`)
    return kept
  })
}

/** A key signs until its successor is known to all; its tokens live on for a while. */
const mayHaveTokens = (successor: KnownKey | undefined, { accessMs, clock }: SigningKeySettings): boolean =>
  !successor || clock.now() - successor.createdMs < KNOWN_AFTER_MS + accessMs + MINUTE

interface KeyRow {
  readonly id: string
  readonly public_key: Buffer
  readonly private_sealed: Buffer
  readonly created_at: Date
}

/** Newest first. A key that the secret does not open is not ours, and nothing that it signed is believed. */
async function readKeys(tx: Transaction, secret: Secret): Promise<readonly KnownKey[]> {
  const rows = await tx.many<KeyRow>(
    sql`select id, public_key, private_sealed, created_at from seaworthy.signing_keys order by created_at desc, id`,
  )
  return rows.flatMap((row) => {
    const privateKey = openPrivate(row, secret)
    if (!privateKey) return []
    return [{ id: row.id, privateKey, publicKey: createPublicKey(privateKey), createdMs: row.created_at.getTime() }]
  })
}

function makeKey(nowMs: number): KnownKey {
  const pair = generateKeyPairSync('ed25519')
  return { ...pair, id: randomBytes(12).toString('base64url'), createdMs: nowMs }
}

const publicBytes = (key: SigningKey): Buffer => key.publicKey.export({ type: 'spki', format: 'der' })

const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'
const wrappingKey = (secret: Secret): Buffer =>
  Buffer.from(hkdfSync('sha256', secret.reveal(), '', 'seaworthy signing keys', 32))

/** `nonce · tag · ciphertext`, bound to the id and the public half. */
function sealPrivate(key: SigningKey, secret: Secret): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, wrappingKey(secret), nonce).setAAD(
    Buffer.concat([Buffer.from(key.id), publicBytes(key)]),
  )
  const sealed = Buffer.concat([cipher.update(key.privateKey.export({ type: 'pkcs8', format: 'der' })), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

function openPrivate(row: KeyRow, secret: Secret): KeyObject | undefined {
  const nonce = row.private_sealed.subarray(0, NONCE_BYTES)
  const tag = row.private_sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  try {
    const cipher = createDecipheriv(CIPHER, wrappingKey(secret), nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.concat([Buffer.from(row.id), row.public_key]))
      .setAuthTag(tag)
    const key = Buffer.concat([cipher.update(row.private_sealed.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()])
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
}
