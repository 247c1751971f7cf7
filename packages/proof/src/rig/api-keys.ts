import { crc32 } from 'node:zlib'
import { askUntilServed } from './asked-again.ts'
import { jsonBody } from './person.ts'

export interface MadeKey {
  readonly id: string
  readonly key: string
}

interface WantedKey {
  readonly role?: string
  readonly scopes?: readonly string[]
  readonly days?: number
}

/** An API key of the account that this token is for. */
export async function makeApiKey(
  url: string,
  token: string,
  { role = 'member', scopes = ['cosnap:read'], ...more }: WantedKey = {},
): Promise<MadeKey> {
  const wanted = jsonBody({ name: 'proof', role, scopes, ...more }, { authorization: `Bearer ${token}` })
  const response = await askUntilServed(() => fetch(`${url}/api/identity/api-keys`, wanted))
  if (response.status !== 201) throw new Error(`making a key answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as MadeKey
}

const PREFIX = 'swk_'
const ID_LENGTH = 32
const CHECK_LENGTH = 8

/** What is secret of it: without the prefix, the id and the checksum, which tell nothing. */
export const secretOf = ({ key }: MadeKey): string => key.slice(PREFIX.length + ID_LENGTH, -CHECK_LENGTH)

/** Keys of the same form and id with another secret: its last digit changed, its halves exchanged, made up. */
export function forgeriesOf(made: MadeKey, random: () => number): string[] {
  const secret = secretOf(made)
  const digit = (): string => Math.floor(random() * 16).toString(16)
  const changed = secret.slice(0, -1) + ((Number.parseInt(secret.slice(-1), 16) + 1) % 16).toString(16)
  const others = [
    changed,
    secret.slice(secret.length / 2) + secret.slice(0, secret.length / 2),
    Array.from(secret, digit).join(''),
    '0'.repeat(secret.length),
  ]
  return others.map((other) => {
    const body = made.key.slice(PREFIX.length, PREFIX.length + ID_LENGTH) + other
    return `${PREFIX}${body}${crc32(body).toString(16).padStart(CHECK_LENGTH, '0')}`
  })
}
