import { clientAddress } from '../../limits/index.ts'
import { continueTrace } from '../../telemetry/index.ts'
import type { Before } from '../exchange.ts'

const idForm = /^[\w-]{8,64}$/

/** Gives the request its trace, its id and its address. */
export const correlate: Before = (exchange) => {
  const { headers, socket } = exchange.incoming
  exchange.trace = continueTrace(headers.traceparent as string | undefined)
  const given = headers['x-request-id']
  exchange.requestId = typeof given === 'string' && idForm.test(given) ? given : exchange.trace.traceId
  exchange.address = clientAddress(
    socket.remoteAddress ?? '',
    headers['x-forwarded-for'] as string | undefined,
    exchange.parts.settings.trustedProxies,
  )
  return undefined
}
