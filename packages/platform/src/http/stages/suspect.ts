import { type AppError, fault } from '@seaworthy/core'
import type { Sign } from '../../limits/index.ts'
import { maskAddress } from '../../telemetry/index.ts'
import type { Before, Exchange } from '../exchange.ts'

/** Whoever has become suspicious waits. Who is signed in answers for what they do themselves, not for their network. */
export const refuseSuspects: Before = ({ caller, parts, networkKey }) => {
  const seconds = caller
    ? parts.suspicion.waitSeconds('account', caller.accountId)
    : parts.suspicion.waitSeconds('network', networkKey)
  if (seconds > 0) throw suspected(seconds)
  return undefined
}

/** A network that has to wait is not told what is wrong with its next token. */
export function waitOr({ parts, networkKey }: Exchange, error: unknown): unknown {
  const seconds = parts.suspicion.waitSeconds('network', networkKey)
  return seconds > 0 ? suspected(seconds) : error
}

export const suspected = (seconds: number): AppError =>
  fault('too_many_requests', {
    detail: `Too much of what came from here looked like an attack. Try again in ${Math.ceil(seconds / 60)} minutes.`,
    internal: 'suspicious behaviour',
    retryAfterSeconds: seconds,
  })

/** What a refusal says about whoever asked. */
export function noteRefusal(exchange: Exchange, error: AppError): void {
  const sign = signOf(exchange, error)
  if (!sign) return
  const { caller, parts, networkKey, address, incoming } = exchange
  const suspect = caller
    ? ({ kind: 'account', key: caller.accountId, shown: caller.accountId } as const)
    : ({ kind: 'network', key: networkKey, shown: maskAddress(address) } as const)
  const isToken = sign === 'forged_sign_in' || sign === 'ended_sign_in'
  // The end of a signature tells tokens apart and opens nothing.
  const about = isToken
    ? incoming.headers.authorization?.slice(-TAIL)
    : sign === 'missing_thing'
      ? incoming.url
      : undefined
  parts.suspicion.note(suspect, sign, about)
}

const TAIL = 8

function signOf({ incoming, served }: Exchange, { code, replayed }: AppError): Sign | undefined {
  if (replayed) return 'ended_sign_in'
  if (code === 'unauthenticated') return incoming.headers.authorization === undefined ? undefined : 'forged_sign_in'
  if (code === 'not_found') return served.route.params ? 'missing_thing' : undefined
  return signs[code]
}

const signs: Readonly<Record<string, Sign>> = {
  forbidden: 'forbidden',
  invalid_input: 'invalid',
  malformed_request: 'invalid',
  unsupported_media_type: 'invalid',
  too_many_requests: 'too_many',
}

/** What speaks for whoever asked. */
export function noteAnswer({ caller, parts, networkKey }: Exchange): void {
  if (caller) parts.suspicion.clear('account', caller.accountId)
  else parts.suspicion.clear('network', networkKey)
}
