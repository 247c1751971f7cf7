import { fault } from '@seaworthy/core'
import type { RateClass, RateDecision } from '../../limits/index.ts'
import { networkKey, rate } from '../../limits/index.ts'
import type { Before, Exchange } from '../exchange.ts'

/** Counts every request of a network, good or bad: so guessing tokens is limited like everything else. */
export function limitByNetwork(limit: { readonly max: number; readonly windowMs: number }): Before {
  const flood = rate('platform.network', limit.max, limit.windowMs, { per: 'network' })
  return (exchange) => {
    const decision = exchange.parts.limiter.take(flood, networkKey(exchange.address))
    if (!decision.allowed) refuse(exchange, flood.name, flood.windowMs, decision)
    return undefined
  }
}

/** The route's own class, by caller; by network for who is not signed in, and where the class says so. */
export function limitByClass(limit: RateClass): Before | undefined {
  if (limit.kind === 'unlimited') return undefined
  return (exchange) => {
    const key = limit.per === 'caller' && exchange.caller ? exchange.caller.accountId : networkKey(exchange.address)
    const decision = exchange.parts.limiter.take(limit, key)
    exchange.rate = { name: limit.name, decision, windowSeconds: limit.windowMs / 1_000 }
    if (!decision.allowed) refuse(exchange, limit.name, limit.windowMs, decision)
    return undefined
  }
}

function refuse(exchange: Exchange, name: string, windowMs: number, decision: RateDecision): never {
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
