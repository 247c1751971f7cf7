import { randomBytes, scryptSync } from 'node:crypto'
import { Secret } from '@seaworthy/core'
import { decrypt, encrypt, lengthPrefixed } from './cipher.ts'
import { type KeyRing, toRingKey } from './key-ring.ts'
import { fromPrinted, toPrinted } from './printed.ts'

/** A key ring under a passphrase, as text that can be printed and typed in again. */
export interface OpenedKit {
  /** The first one is current. */
  readonly keys: readonly [Secret, ...Secret[]]
  readonly fingerprints: readonly string[]
}

const TITLE = 'SEAWORTHY RECOVERY KIT 1'
const BEGIN = '-----BEGIN KEY RING-----'
const END = '-----END KEY RING-----'
const SALT_BYTES = 16
const LOG2_N = 17
const LOG2_N_MAX = 20
const R = 8
const P = 1
export const PASSPHRASE_MIN = 12

/** Text of the kit. Takes half a second and 128 MB, which is what makes guessing the passphrase slow. */
export function writeKit(ring: KeyRing, passphrase: Secret, madeAt: Date): string {
  const keys = ring.all()
  const salt = randomBytes(SALT_BYTES)
  const plain = Buffer.concat(keys.map((key) => key.bytes))
  const box = encrypt(keyFrom(passphrase, salt, LOG2_N), contextOf(LOG2_N), plain)
  const code = toPrinted(Buffer.concat([Buffer.from([LOG2_N]), salt, Buffer.from(box, 'base64url')]))
  return [
    TITLE,
    '',
    `made on       ${madeAt.toISOString()}`,
    ...keys.map((key, i) => `${i === 0 ? 'current key ' : 'older key   '}  ${key.id}`),
    '',
    'Whoever has this page and its passphrase can read what this installation has sealed. Keep the two apart,',
    'and both away from the machine. To use it: seaworthy keys restore FILE',
    '',
    BEGIN,
    ...code,
    END,
    '',
  ].join('\n')
}

/** Undefined when the passphrase is another one, or one letter of the code is wrong. Throws when it is no kit. */
export function openKit(text: string, passphrase: Secret): OpenedKit | undefined {
  const bytes = text.includes(TITLE) ? fromPrinted(text, BEGIN, END) : undefined
  if (!bytes) throw new Error(notAKit)
  const log2n = bytes[0] ?? 0
  if (log2n < 10 || log2n > LOG2_N_MAX) throw new Error(notAKit)
  const salt = bytes.subarray(1, 1 + SALT_BYTES)
  const box = bytes.subarray(1 + SALT_BYTES).toString('base64url')
  const plain = decrypt(keyFrom(passphrase, salt, log2n), contextOf(log2n), box)
  if (!plain) return undefined
  const kit = openedKit(plain)
  if (!kit) throw new Error(notAKit)
  return kit
}

/** The keys of a ring one after the other, as a kit holds them. */
export function openedKit(plain: Buffer): OpenedKit | undefined {
  const [current, ...old] = keysIn(plain)
  if (!current) return undefined
  const keys = [current, ...old] as const
  return { keys, fingerprints: keys.map((key) => toRingKey(key).id) }
}

const notAKit = `This is not a recovery kit.\n    HINT: it begins with ${TITLE}`

const contextOf = (log2n: number): Buffer => lengthPrefixed(TITLE, String(log2n))

const keyFrom = (passphrase: Secret, salt: Buffer, log2n: number): Buffer =>
  scryptSync(passphrase.reveal().normalize('NFKC'), salt, 32, { N: 2 ** log2n, r: R, p: P, maxmem: 2 ** (log2n + 11) })

function keysIn(plain: Buffer): Secret[] {
  const count = plain.length / 32
  return Array.from({ length: count }, (_, i) => new Secret(plain.subarray(i * 32, i * 32 + 32).toString('hex')))
}
