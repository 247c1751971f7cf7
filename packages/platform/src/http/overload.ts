import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { fault, newId } from '@seaworthy/core'
import type { Logger, Metrics } from '../telemetry/index.ts'
import { asBlock, dataPolicy, securityHeaders } from './headers.ts'
import { problemOf } from './reply.ts'

export interface OverloadParts {
  /** How long whoever asks now will wait for a database connection, in milliseconds. */
  readonly databaseWaitMs: () => number
  readonly log: Logger
  readonly metrics: Metrics
  readonly isHttps: boolean
  /** A clock that only goes forward, in milliseconds; the process's own without it. */
  readonly clock?: () => number
}

/** What came in one turn of the event loop is worked on for so long; the rest of that turn is told to come again. */
const TURN_MS = 250
/** More than the connections of two browsers: one slow answer, on a slow machine, is not too many requests. */
const TURN_REQUESTS = 16
const WAIT_MS = 1_000
const TELL_MS = 1_000
/** Whoever watches the service must see it when it is full. */
const always = /^\/(health|live|ready|api\/health)(\/|\?|$)/

/**
 * Refuses before anything is spent on a request, when it would wait for too long behind many others: for the event
 * loop, which is measured from the first request of a turn on, so that a pause before it (a collection of garbage)
 * refuses nobody; or for the database. Work that is begun is finished.
 */
export function shedLoad(next: RequestListener, parts: OverloadParts): RequestListener {
  const isOver = createTurn(parts.clock ?? (() => performance.now()))
  const refuse = createRefusal(parts)
  return (request, response) => {
    const why = isOver() ? 'event loop' : parts.databaseWaitMs() > WAIT_MS ? 'database' : undefined
    if (why && !always.test(request.url ?? '')) refuse(request, response, why)
    else next(request, response)
  }
}

/** Whether this turn of the event loop has been at work for too long, on many requests. */
function createTurn(clock: () => number): () => boolean {
  let [startedMs, begun] = [0, 0]
  const end = (): void => {
    begun = 0
  }
  return () => {
    if (begun++ === 0) {
      startedMs = clock()
      setImmediate(end)
    }
    return begun > TURN_REQUESTS && clock() - startedMs > TURN_MS
  }
}

function createRefusal({ log, metrics, isHttps }: OverloadParts) {
  const block = asBlock({
    ...securityHeaders(isHttps),
    'content-type': 'application/problem+json; charset=utf-8',
    'content-security-policy': dataPolicy,
    'cache-control': 'no-store',
    'retry-after': '1',
  })
  const error = fault('unavailable', { detail: 'Too many requests at once. Try again in a second.' })
  const count = metrics.counter('http_requests_shed_total', 'Requests refused because the service is full.', ['why'])
  let [refused, toldMs] = [0, Number.NEGATIVE_INFINITY]
  const tell = (why: string): void => {
    refused++
    if (performance.now() - toldMs < TELL_MS) return
    log.warn('requests are refused: the service is full', { runbook: 'too-many-refused', why, refused })
    ;[refused, toldMs] = [0, performance.now()]
  }
  return (request: IncomingMessage, response: ServerResponse, why: string): void => {
    const id = newId()
    const body = JSON.stringify(problemOf(error, id))
    const head = block.concat('x-request-id', id, 'content-length', String(Buffer.byteLength(body)))
    if (request.headers['content-length'] || request.headers['transfer-encoding']) head.push('connection', 'close')
    response.writeHead(error.status, head)
    response.end(request.method === 'HEAD' ? undefined : body)
    count({ why })
    tell(why)
  }
}
