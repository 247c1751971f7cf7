import { type Caller, fault, MINUTE, roleAtLeast } from '@seaworthy/core'
import type { Auth, Scope } from '../../definition/index.ts'
import type { Before } from '../exchange.ts'

/** How long after showing who one is a sensitive change may be made. */
const FRESH_MS = 15 * MINUTE

export interface Demand {
  readonly auth: Auth
  /** What an API key must have been made for; undefined where none is taken. */
  readonly scope: Scope | undefined
  readonly fresh: boolean
  /** The caller must have shown more than a password. */
  readonly secondFactor: boolean
}

/** Compares the caller with what the route asks for. */
export function authorise(demand: Demand): Before | undefined {
  if (demand.auth === 'public') return undefined
  return ({ caller }) => {
    if (!caller) throw fault('unauthenticated')
    refuseRole(demand, caller)
    if (caller.scopes) refuseKeyBeyond(demand, caller.scopes)
    else if (demand.secondFactor && !caller.secondFactor) throw fault('second_factor_required')
    refuseStale(demand, caller)
    return undefined
  }
}

function refuseRole({ auth }: Demand, caller: Caller): void {
  if (auth === 'public') return
  if (auth === 'operator' ? !caller.operator : !roleAtLeast(caller.role, auth))
    throw fault('forbidden', { detail: `This needs the role ${auth}.` })
}

/** An API key is never fresh. */
function refuseStale({ fresh }: Demand, caller: Caller): void {
  if (fresh && !isFresh(caller)) throw fault('reauthentication_required')
}

const isFresh = (caller: Caller): boolean => Date.now() - caller.authenticatedAtMs < FRESH_MS

function refuseKeyBeyond({ scope }: Demand, scopes: readonly string[]): void {
  if (scope === undefined) throw fault('forbidden', { detail: 'Sign in for this: API keys are not taken here.' })
  if (!scopes.includes(scope)) throw fault('forbidden', { detail: `This API key was not made for ${scope}.` })
}
