import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Caller, fault, isId, type Secret } from '@seaworthy/core'
import type { FastifyRequest } from 'fastify'
import type { Ai } from '../ai/index.ts'
import type { AuditDetails, EventOrigin } from '../audit/index.ts'
import type { Database, Transaction } from '../data/index.ts'
import type { AnswerHeaders, App, FieldChoice, Route, RouteAsk, RouteTold } from '../definition/index.ts'
import type { Flags } from '../flags/index.ts'
import type { Identity } from '../identity/index.ts'
import type { RateDecision, RateLimiter, Suspicion } from '../limits/index.ts'
import type { Media } from '../media/index.ts'
import { type Logger, type Metrics, maskAddress, type Pseudonyms, type Trace } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'
import type { Follower, Positions } from './positions.ts'

/** What all requests of this process share. */
export interface HttpParts {
  readonly database: Database
  readonly identity: Identity
  readonly limiter: RateLimiter
  readonly suspicion: Suspicion
  readonly media: Media
  readonly flags: Flags
  readonly ai: Ai
  readonly vault: Vault
  /** To other routes, once there is a server. */
  readonly call?: (exchange: Exchange, ask: RouteAsk) => Promise<RouteTold>
  /** Where there is a read replica. */
  readonly positions?: Positions | undefined
  readonly log: Logger
  readonly metrics: Metrics
  /** Of people's ids, for log lines. */
  readonly pseudonym: Pseudonyms
  readonly observe: (values: { method: string; route: string; status_code: string }, seconds: number) => void
  readonly settings: HttpSettings
}

export interface HttpSettings {
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: number
  readonly jsonBytesMax: number
  readonly networkRate: { readonly max: number; readonly windowMs: number }
  readonly process: string
  readonly secureCookies: boolean
  readonly cursorSecret: Secret
  readonly secondFactorFor: 'nobody' | 'operators' | 'everyone'
}

/** One request on its way through the stages. Each stage reads what earlier ones left and leaves what later ones need. */
export class Exchange {
  readonly request: FastifyRequest
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly parts: HttpParts
  readonly served: ServedRoute
  readonly startedMs = performance.now()
  trace!: Trace
  requestId = ''
  /** The address of whoever speaks to us, behind the proxies we trust. */
  address = ''
  /** What limits by network count. */
  networkKey = ''
  caller: Caller | undefined
  rate: { readonly name: string; readonly decision: RateDecision; readonly windowSeconds: number } | undefined
  corsOrigin: string | undefined
  params: unknown
  query: unknown
  /** The only fields that the caller wants, where it named some. */
  fields: ReadonlySet<string> | undefined
  body: unknown
  /** The body as it came, for comparing requests under one idempotency key. */
  bodyBytes: Uint8Array = new Uint8Array()
  /** How long the caller said it waits, from the first byte on, in milliseconds. */
  patienceMs: number | undefined
  tx: Transaction | undefined
  /** What its client has seen of the database, where there is a read replica. */
  follower: Follower | undefined
  /** The audit line is written already, in the handler's own transaction. */
  audited = false

  #signal: AbortSignal | undefined

  constructor(request: FastifyRequest, outgoing: ServerResponse, parts: HttpParts, served: ServedRoute) {
    this.request = request
    this.incoming = request.raw
    this.outgoing = outgoing
    this.parts = parts
    this.served = served
  }

  /** Time left, in milliseconds, where the caller said how long it waits. */
  get remainingMs(): number | undefined {
    return this.patienceMs && this.patienceMs - (performance.now() - this.startedMs)
  }

  /** For audit lines and security events. */
  get origin(): EventOrigin {
    const { method, headers, url } = this.incoming
    return {
      network: maskAddress(this.address),
      userAgent: headers['user-agent'],
      requestId: this.requestId,
      method,
      route: this.served.template,
      path: safePath(this.served.template, url ?? ''),
    }
  }

  /** Aborted when the caller is gone or does not wait any more. */
  get signal(): AbortSignal {
    this.#signal ??= this.#watch()
    return this.#signal
  }

  #watch(): AbortSignal {
    const gone = new AbortController()
    const end = (detail: string): void => gone.abort(fault('request_timeout', { detail }))
    const { remainingMs } = this
    const timer =
      remainingMs === undefined
        ? undefined
        : setTimeout(() => end('This took longer than you wait.'), Math.max(0, remainingMs))
    this.outgoing.once('close', () => {
      clearTimeout(timer)
      if (!this.outgoing.writableEnded) end('The connection was closed.')
    })
    return gone.signal
  }
}

/** The path that was asked for, with ids; whatever else stands in the place of a parameter may be a secret. */
function safePath(template: string, url: string): string {
  if (!template.includes('{')) return template
  const asked = url.split('?', 1)[0]?.split('/') ?? []
  const show = (part: string, i: number): string =>
    part.startsWith('{') && isId(asked[i] ?? '') ? (asked[i] ?? '') : part
  return template.split('/').map(show).join('/')
}

/** A route with what could be worked out before the first request. */
export interface ServedRoute {
  readonly app: Pick<App, 'name'>
  readonly route: Route
  /** `/api/cosnap/photos/{id}`: the label of metrics and logs. */
  readonly template: string
  /** What `fields=` may choose. */
  readonly fieldChoice: FieldChoice | undefined
  readonly before: readonly Before[]
  readonly around: Around
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: AnswerHeaders
  readonly resource?: string
  readonly details?: AuditDetails
}

/** Synchronous where it can be: a promise costs more than most stages do. */
export type Before = (exchange: Exchange) => undefined | Promise<void>
export type Around = (exchange: Exchange, next: () => Promise<Answer>) => Promise<Answer>
