import { fault } from '@seaworthy/core'
import { clientAddress } from '../../limits/index.ts'
import { continueTrace } from '../../telemetry/index.ts'
import type { Before, Exchange } from '../exchange.ts'

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
  refuseAmbiguous(exchange)
  return undefined
}

/** Two Host headers, or a NUL in the address: a proxy and we might read them differently. */
function refuseAmbiguous({ incoming }: Exchange): void {
  const raw = incoming.rawHeaders
  let hosts = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts > 1) throw fault('malformed_request', { detail: 'The request names more than one host.' })
  if (incoming.url?.includes('%00'))
    throw fault('malformed_request', { detail: 'The address holds a character that is not allowed.' })
}
