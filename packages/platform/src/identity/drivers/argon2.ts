import { randomBytes } from 'node:crypto'
import { hash, type Options, verify } from '@node-rs/argon2'

/** argon2id; the library's own name for it is a constant enum, which cannot cross a file. */
const ARGON2ID = 2 as NonNullable<Options['algorithm']>

/**
 * 32 MiB, eight passes, one lane: above OWASP's least (19 MiB, two passes), and 60 ms of one core of a small server for
 * each guess. They stand inside every hash; one made with others is made again at the next sign-in.
 */
const parameters = { algorithm: ARGON2ID, memoryCost: 32_768, timeCost: 8, parallelism: 1 } as const

export const hashText = (text: string): Promise<string> => hash(text, parameters)
export const verifyText = (hashed: string, text: string): Promise<boolean> => verify(hashed, text)
const costs = `m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}`
export const isCurrent = (hashed: string): boolean => hashed.includes(costs)

const SALT_BYTES = 16
const HASH_BYTES = 32

/**
 * A hash that no text has, and that takes as long to find out as with any other: the work is in making the hash of the guess.
 * It is written, not made, so that no start of a process waits for one.
 */
export const hashOfNothing = (): string =>
  `$argon2id$v=19$${costs}$${plain(randomBytes(SALT_BYTES))}$${plain(randomBytes(HASH_BYTES))}`

const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
