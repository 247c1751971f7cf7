import { fault } from '@seaworthy/core'
import type { Database } from '../data/index.ts'

/** The part of the database that the gateway uses. */
export type Turns = Pick<Database, 'withCaller' | 'withDuty'>

/** What may wait for a turn; more is told to come again. */
const WAITING_MAX = 20_000

/**
 * The database with a few connections at a time: thousands of questions at once wait here for their turn, instead of taking
 * every connection from requests that only want to read a row.
 */
export function takeTurns(database: Database, atOnce: number): Turns {
  const waiting: (() => void)[] = []
  let active = 0
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (active < atOnce) active++
    else if (waiting.length >= WAITING_MAX)
      throw fault('unavailable', {
        internal: `${WAITING_MAX} questions to AI engines wait already`,
        retryAfterSeconds: 5,
      })
    else await new Promise<void>((resolve) => void waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else active--
    }
  }
  return {
    withCaller: (caller, work, options) => inTurn(() => database.withCaller(caller, work, options)),
    withDuty: (duty, work, options) => inTurn(() => database.withDuty(duty, work, options)),
  }
}
