import { hash, type Options, verify } from '@node-rs/argon2'

/** argon2id; the library's own name for it is a constant enum, which cannot cross a file. */
const ARGON2ID = 2 as NonNullable<Options['algorithm']>

/** OWASP's parameters for argon2id: 19 MiB, two passes, one lane. They stand inside every hash. */
const parameters = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

export const hashText = (text: string): Promise<string> => hash(text, parameters)
export const verifyText = (hashed: string, text: string): Promise<boolean> => verify(hashed, text)
export const isCurrent = (hashed: string): boolean =>
  hashed.includes(`m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}`)
