import type { ServerResponse } from 'node:http'
import { AppError, type Caller, present } from '@seaworthy/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuditDetails } from '../audit/index.ts'
import { following, seenNow, type Transaction } from '../data/index.ts'
import { createCursors, type RouteAsk, type RouteContext, type RouteTold } from '../definition/index.ts'
import { maskAddress } from '../telemetry/index.ts'
import { type Answer, Exchange, type HttpParts, type ServedRoute } from './exchange.ts'
import { POSITION_HEADER } from './positions.ts'
import { sendAnswer, sendProblem } from './reply.ts'
import { auditIn, auditRefusal } from './stages/transact.ts'

/** Leads a request through the stages of its route. */
export function serve(served: ServedRoute, parts: HttpParts) {
  return (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.hijack()
    const exchange = new Exchange(request, reply.raw, parts, served)
    // A part of a batch sees what the parts before it did.
    if (!parts.positions || seenNow()) return lead(exchange)
    exchange.follower = parts.positions.open(request.raw.headers[POSITION_HEADER])
    return following(exchange.follower, () => lead(exchange))
  }
}

async function lead(exchange: Exchange): Promise<void> {
  const { served } = exchange
  try {
    await prepare(exchange)
    const answer = await served.around(exchange, () => handle(exchange))
    if (!isGone(exchange.outgoing)) await sendAnswer(exchange, answer)
  } catch (error) {
    sendProblem(exchange, error)
  }
}

/** What stands before the handler. Who is refused there, although known or within the limit, is audited too. */
async function prepare(exchange: Exchange): Promise<void> {
  const { served } = exchange
  try {
    for (const stage of served.before) {
      const pending = stage(exchange)
      if (pending) await pending
    }
  } catch (error) {
    if (served.route.audit && isWorthALine(exchange, error)) await auditRefusal(exchange, error)
    throw error
  }
}

/** Floods leave no lines: what a limit refuses, and who has said nothing of themselves and not come to the limit yet. */
function isWorthALine({ caller, rate }: Exchange, error: unknown): boolean {
  const status = error instanceof AppError ? error.status : 500
  return status !== 401 && status !== 429 && (caller !== undefined || rate !== undefined)
}

function handle(exchange: Exchange): Promise<Answer> {
  return exchange.served.route.handle(new Context(exchange) as never) as Promise<Answer>
}

const isGone = (outgoing: ServerResponse): boolean => outgoing.destroyed && !outgoing.writableEnded

class Context implements RouteContext<'member', undefined, undefined, undefined, 'none'> {
  readonly #exchange: Exchange

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  get caller() {
    return this.#exchange.caller as NonNullable<Exchange['caller']>
  }
  get params() {
    return this.#exchange.params as undefined
  }
  get query() {
    return this.#exchange.query as undefined
  }
  get body() {
    return this.#exchange.body as undefined
  }
  get tx() {
    return this.#exchange.tx as undefined
  }
  get media() {
    return this.#exchange.parts.media
  }
  get ai() {
    return this.#exchange.parts.ai
  }
  get flags() {
    return this.#exchange.parts.flags
  }
  get vault() {
    return this.#exchange.parts.vault
  }
  get cursors() {
    const { served, parts } = this.#exchange
    return createCursors(parts.settings.cursorSecret, served.route.name, this.caller.accountId)
  }
  get signal() {
    return this.#exchange.signal
  }
  get trace() {
    return this.#exchange.trace
  }
  get requestId() {
    return this.#exchange.requestId
  }
  get origin() {
    return this.#exchange.origin
  }
  get network() {
    return maskAddress(this.#exchange.address)
  }
  get call() {
    const call = present(this.#exchange.parts.call, 'the way to other routes')
    return (ask: RouteAsk): Promise<RouteTold> => call(this.#exchange, ask)
  }
  get log() {
    return this.#exchange.parts.log.with({ request: this.#exchange.requestId })
  }

  // Handlers take what they need out of the context, so these know their exchange by themselves.
  readonly read = <V>(work: (tx: Transaction) => Promise<V>): Promise<V> => {
    const { caller, parts, trace, remainingMs } = this.#exchange
    return parts.database.withCaller(present(caller, 'the caller'), work, {
      readOnly: true,
      trace: trace.header,
      remainingMs,
    })
  }

  readonly audit = (
    tx: Transaction,
    caller: Caller,
    status: number,
    resource: string = caller.userId,
    details?: AuditDetails,
  ): Promise<void> => auditIn(this.#exchange, tx, caller, { status, resource, ...(details ? { details } : {}) })

  readonly header = (name: string): string | undefined => {
    const value = this.#exchange.incoming.headers[name]
    return Array.isArray(value) ? value[0] : value
  }

  readonly cookie = (name: string): string | undefined => {
    const found = this.header('cookie')
      ?.split(/;\s*/)
      .find((pair) => pair.startsWith(`${name}=`))
    return found?.slice(name.length + 1)
  }
}
