import { randomBytes, scryptSync } from 'node:crypto'
import { Secret } from '@seaworthy/core'
import { decrypt, encrypt, lengthPrefixed } from './cipher.ts'
import { type KeyRing, toRingKey } from './key-ring.ts'

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
const GROUP = 5
const GROUPS_PER_LINE = 8
export const PASSPHRASE_MIN = 12

/** Text of the kit. Takes half a second and 128 MB, which is what makes guessing the passphrase slow. */
export function writeKit(ring: KeyRing, passphrase: Secret, madeAt: Date): string {
  const keys = ring.all()
  const salt = randomBytes(SALT_BYTES)
  const plain = Buffer.concat(keys.map((key) => key.bytes))
  const box = encrypt(keyFrom(passphrase, salt, LOG2_N), contextOf(LOG2_N), plain)
  const code = toBase32(Buffer.concat([Buffer.from([LOG2_N]), salt, Buffer.from(box, 'base64url')]))
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
    ...linesOf(code),
    END,
    '',
  ].join('\n')
}

/** Undefined when the passphrase is another one, or one letter of the code is wrong. Throws when it is no kit. */
export function openKit(text: string, passphrase: Secret): OpenedKit | undefined {
  const bytes = fromBase32(codeIn(text))
  const log2n = bytes[0] ?? 0
  if (log2n < 10 || log2n > LOG2_N_MAX) throw new Error(notAKit)
  const salt = bytes.subarray(1, 1 + SALT_BYTES)
  const box = bytes.subarray(1 + SALT_BYTES).toString('base64url')
  const plain = decrypt(keyFrom(passphrase, salt, log2n), contextOf(log2n), box)
  if (!plain) return undefined
  const [current, ...old] = keysIn(plain)
  if (!current) throw new Error(notAKit)
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

/** Letters and digits that nobody confuses; O is read as 0, I and L as 1. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

function codeIn(text: string): string {
  const [, rest] = text.split(BEGIN)
  const [code, after] = (rest ?? '').split(END)
  if (!text.includes(TITLE) || !code || after === undefined) throw new Error(notAKit)
  return code.replace(/\s/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')
}

function linesOf(code: string): string[] {
  const groups = code.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? []
  return Array.from({ length: Math.ceil(groups.length / GROUPS_PER_LINE) }, (_, i) =>
    groups.slice(i * GROUPS_PER_LINE, (i + 1) * GROUPS_PER_LINE).join(' '),
  )
}

function toBase32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

function fromBase32(code: string): Buffer {
  if ([...code].some((letter) => !alphabet.includes(letter))) throw new Error(notAKit)
  const bits = [...code].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
