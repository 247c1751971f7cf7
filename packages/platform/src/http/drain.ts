import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fault, newId, pause, SECOND } from '@seaworthy/core'
import { problemOf } from './reply.ts'

/**
 * For as long as this a proxy may use a connection that we last kept open, and find us there. A proxy that closes idle
 * connections after four seconds, as our own configuration of one does, has closed it by then: whoever closes first
 * decides whether a request that is on its way is lost.
 */
const FAIR_MS = 5 * SECOND
/** What the kernel took in our name before a proxy was sent elsewhere is still taken from it. */
const ACCEPT_MS = 250
const LOOK_MS = 50

export interface DrainPlan {
  /** A proxy stands in front: it sends requests of others over connections that it keeps, and repeats none of them. */
  readonly isBehindProxy: boolean
  readonly deadlineMs: number
  /** Ends what holds connections open on purpose, once no new one is taken. */
  readonly tellSockets: () => Promise<void>
}

interface Drain {
  /** Undefined while the server serves as ever. */
  beganMs: number | undefined
  /** When an answer last left its connection open. */
  keptMs: number
}

const drains = new WeakMap<Server, Drain>()

/** The class of the answers of a server that is going to be drained, and what ties them to it. */
export function createDrainableAnswers(): {
  readonly Answer: typeof ServerResponse
  attach(server: Server): void
} {
  const drain: Drain = { beganMs: undefined, keptMs: 0 }
  class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
    override writeHead(...all: unknown[]): this {
      // Also of requests that were under way when the drain began: whoever keeps this connection should stop doing so.
      if (drain.beganMs !== undefined) this.shouldKeepAlive = false
      return super.writeHead(...(all as Parameters<ServerResponse['writeHead']>))
    }

    override detachSocket(socket: Socket): void {
      if (drain.beganMs !== undefined) drain.keptMs = performance.now()
      super.detachSocket(socket)
    }
  }
  return { Answer, attach: (server) => void drains.set(server, drain) }
}

/**
 * Ends a server without losing a request. What comes over connections that are kept is answered with `Connection: close`;
 * idle ones end when their owner had a fair time to end them, the rest at the deadline. Resolves when none is left.
 */
export async function drainServer(server: Server, plan: DrainPlan): Promise<void> {
  const drain = drains.get(server) ?? { beganMs: undefined, keptMs: 0 }
  drain.beganMs = performance.now()
  drain.keptMs = drain.beganMs
  const late = new AbortController()
  const deadline = pause(plan.deadlineMs, late.signal)
  if (plan.isBehindProxy) await Promise.race([pause(ACCEPT_MS), deadline])
  const closed = stopListening(server)
  refuseUpgrades(server)
  const fairMs = plan.isBehindProxy ? FAIR_MS : 0
  const look = setInterval(() => {
    if (performance.now() - drain.keptMs >= fairMs) server.closeIdleConnections()
  }, LOOK_MS)
  await plan.tellSockets()
  await Promise.race([closed, deadline])
  late.abort()
  clearInterval(look)
  server.closeAllConnections()
}

/** As the server of `net` does it: the one of `http` would close idle connections at once. */
function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
}

/** A socket that opened now would be closed at once: it is told to come again, and finds another process. */
function refuseUpgrades(server: Server): void {
  server.removeAllListeners('upgrade')
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    const body = JSON.stringify(problemOf(fault('unavailable', { retryAfterSeconds: 1 }), newId()))
    const head = [
      'HTTP/1.1 503 Service Unavailable',
      'content-type: application/problem+json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'cache-control: no-store',
      'retry-after: 1',
      'connection: close',
    ]
    socket.on('error', () => undefined)
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  })
}
