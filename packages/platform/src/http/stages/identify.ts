import type { Before } from '../exchange.ts'
import { waitOr } from './suspect.ts'

/** Finds out who is calling. A token that is not good is an error even where none is needed: the client should know. */
export const identifyCaller: Before = (exchange) => {
  const header = exchange.incoming.headers.authorization
  if (header === undefined) return undefined
  const token = header.startsWith('Bearer ') ? header.slice(7) : ''
  try {
    const caller = exchange.parts.identity.identify(token)
    if (!(caller instanceof Promise)) {
      exchange.caller = caller
      return undefined
    }
    return caller.then(
      (known) => {
        exchange.caller = known
      },
      (error: unknown) => {
        throw waitOr(exchange, error)
      },
    )
  } catch (error) {
    throw waitOr(exchange, error)
  }
}
