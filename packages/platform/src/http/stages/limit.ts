import { fault } from '@seaworthy/core'
import type { Rate, RateClass, RateDecision } from '../../limits/index.ts'
import { rate } from '../../limits/index.ts'
import type { Before, Exchange } from '../exchange.ts'

/** Counts every request of a network, good or bad: so guessing tokens is limited like everything else. */
export function limitByNetwork(limit: { readonly max: number; readonly windowMs: number }): Before {
  const flood = rate('platform.network', limit.max, limit.windowMs, { per: 'network', strict: false })
  const settle = (exchange: Exchange, decision: RateDecision): undefined => {
    if (!decision.allowed) refuse(exchange, flood, decision)
  }
  return (exchange) => take(exchange, flood, exchange.networkKey, settle)
}

/** The route's own class, by caller; by network for who is not signed in, and where the class says so. */
export function limitByClass(limit: RateClass): Before | undefined {
  if (limit.kind === 'unlimited') return undefined
  const settle = (exchange: Exchange, decision: RateDecision): undefined => {
    exchange.rate = { name: limit.name, decision, windowSeconds: limit.windowMs / 1_000 }
    if (!decision.allowed) refuse(exchange, limit, decision)
  }
  return (exchange) => {
    const key = limit.per === 'caller' && exchange.caller ? exchange.caller.accountId : exchange.networkKey
    return take(exchange, limit, key, settle)
  }
}

/** Counted in memory it is known at once. */
function take(
  exchange: Exchange,
  limit: Rate,
  key: string,
  settle: (exchange: Exchange, decision: RateDecision) => undefined,
): undefined | Promise<void> {
  const decision = exchange.parts.limiter.take(limit, key)
  return decision instanceof Promise ? decision.then((known) => settle(exchange, known)) : settle(exchange, decision)
}

function refuse(exchange: Exchange, { name, windowMs }: Rate, decision: RateDecision): never {
  exchange.rate = { name, decision, windowSeconds: windowMs / 1_000 }
  throw fault('too_many_requests', {
    detail: `At most ${decision.limit} in ${describeWindow(windowMs)}. Try again in ${describeWindow(decision.resetSeconds * 1_000)}.`,
    internal: `limit ${name}`,
    retryAfterSeconds: decision.resetSeconds,
  })
}

function describeWindow(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 120) return `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
