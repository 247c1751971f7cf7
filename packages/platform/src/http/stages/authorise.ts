import { fault, roleAtLeast } from '@seaworthy/core'
import type { Auth } from '../../definition/index.ts'
import type { Before } from '../exchange.ts'

/** Compares the caller with what the route asks for. */
export function authorise(auth: Auth): Before | undefined {
  if (auth === 'public') return undefined
  return ({ caller }) => {
    if (!caller) throw fault('unauthenticated')
    if (auth === 'operator' ? !caller.operator : !roleAtLeast(caller.role, auth))
      throw fault('forbidden', { detail: `This needs the role ${auth}.` })
    return undefined
  }
}
