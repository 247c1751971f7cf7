import { Socket } from 'node:net'
import { fault } from '@seaworthy/core'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { RouteAsk, RouteTold } from '../definition/index.ts'
import type { Exchange } from './exchange.ts'

/**
 * Another route of this service, asked by the same caller from the same address, through its whole lifecycle. One deep:
 * what is asked like this cannot ask on.
 */
export async function callRoute(server: FastifyInstance, exchange: Exchange, ask: RouteAsk): Promise<RouteTold> {
  const { incoming } = exchange
  if (!(incoming.socket instanceof Socket))
    throw fault('invalid_input', { detail: 'A batch cannot hold another batch.' })
  const response = await server.inject({
    method: ask.method,
    url: ask.path,
    headers: headersOf(exchange, ask),
    ...(incoming.socket.remoteAddress ? { remoteAddress: incoming.socket.remoteAddress } : {}),
    ...(ask.body === undefined ? {} : { payload: JSON.stringify(ask.body) }),
  } satisfies InjectOptions)
  return { status: response.statusCode, body: response.payload ? JSON.parse(response.payload) : null }
}

/** Who asks, from where, and how long they wait; no cookies, for their routes answer with cookies. */
function headersOf({ incoming, trace, requestId, remainingMs }: Exchange, ask: RouteAsk): Record<string, string> {
  const { host = '', authorization, 'x-forwarded-for': forwarded } = incoming.headers
  return {
    host,
    traceparent: trace.header,
    'x-request-id': requestId,
    ...(authorization ? { authorization } : {}),
    ...(forwarded ? { 'x-forwarded-for': String(forwarded) } : {}),
    ...(remainingMs === undefined ? {} : { prefer: `wait=${Math.max(1, Math.ceil(remainingMs / 1_000))}` }),
    ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(ask.idempotencyKey === undefined ? {} : { 'idempotency-key': ask.idempotencyKey }),
  }
}
