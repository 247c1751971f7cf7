import { fault } from '@seaworthy/core'
import { hashOfNothing, hashText, isCurrent, verifyText } from './drivers/argon2.ts'

/**
 * Hashing off the event loop, a few at a time: more would only fill memory, 32 MiB each. A password is taken as it was
 * typed, whole and in its case. Only its Unicode form is made one (NFC), because keyboards write the same é in two ways.
 */
export interface Passwords {
  hash(password: string): Promise<string>
  /** Takes as long for nobody's password (`undefined`) as for somebody's. */
  matches(hashed: string | undefined, password: string): Promise<boolean>
  /** True when the parameters have moved on since this hash was made. */
  needsRehash(hashed: string): boolean
}

const CONCURRENCY = 2
const WAITING_MAX = 100

export function createPasswords(): Passwords {
  const gate = createGate()
  const nobody = hashOfNothing()
  return {
    hash: (password) => gate(() => hashText(password.normalize('NFC'))),
    matches: async (hashed, password) => {
      const equal = await gate(() => verifyText(hashed ?? nobody, password.normalize('NFC')))
      return equal && hashed !== undefined
    },
    needsRehash: (hashed) => !isCurrent(hashed),
  }
}

function createGate(): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let active = 0
  return async (work) => {
    if (active >= CONCURRENCY) {
      if (waiting.length >= WAITING_MAX)
        throw fault('unavailable', { internal: 'too many passwords are being checked', retryAfterSeconds: 2 })
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else active++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else active--
    }
  }
}
