import { clientAddress, networkKey } from '../../limits/index.ts'
import { continueTrace } from '../../telemetry/index.ts'
import type { Before } from '../exchange.ts'

const idForm = /^[\w-]{8,64}$/

const SECOND_MS = 1_000
const waitForm = /(?:^|[,;]\s*)wait=(\d{1,4})(?=\s*(?:[,;]|$))/i

/** How long the caller waits, in milliseconds (RFC 7240: `Prefer: wait=30`). */
function patienceOf(prefer: string): number | undefined {
  const seconds = waitForm.exec(prefer)?.[1]
  return seconds === undefined ? undefined : Math.max(1, Number(seconds)) * SECOND_MS
}

/** Gives the request its trace, its id and its address. */
export const correlate: Before = (exchange) => {
  const { headers, socket } = exchange.incoming
  exchange.trace = continueTrace(headers.traceparent as string | undefined)
  const given = headers['x-request-id']
  exchange.requestId = typeof given === 'string' && idForm.test(given) ? given : exchange.trace.traceId
  exchange.address = clientAddress(
    socket.remoteAddress,
    headers['x-forwarded-for'] as string | undefined,
    exchange.parts.settings.trustedProxies,
  )
  exchange.networkKey = networkKey(exchange.address)
  exchange.patienceMs = headers.prefer === undefined ? undefined : patienceOf(String(headers.prefer))
  return undefined
}
