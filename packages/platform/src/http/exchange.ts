import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '@seaworthy/core'
import type { FastifyRequest } from 'fastify'
import type { Database, Transaction } from '../data/index.ts'
import type { App, Route } from '../definition/index.ts'
import type { Identity } from '../identity/index.ts'
import type { RateDecision, RateLimiter } from '../limits/index.ts'
import type { Media } from '../media/index.ts'
import type { Logger, Metrics, Trace } from '../telemetry/index.ts'

/** What all requests of this process share. */
export interface HttpParts {
  readonly database: Database
  readonly identity: Identity
  readonly limiter: RateLimiter
  readonly media: Media
  readonly log: Logger
  readonly metrics: Metrics
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
  caller: Caller | undefined
  rate: { readonly name: string; readonly decision: RateDecision; readonly windowSeconds: number } | undefined
  corsOrigin: string | undefined
  params: unknown
  query: unknown
  body: unknown
  /** The body as it came, for comparing requests under one idempotency key. */
  bodyBytes: Uint8Array = new Uint8Array()
  tx: Transaction | undefined
  /** The audit line is written already, in the handler's own transaction. */
  audited = false

  constructor(request: FastifyRequest, outgoing: ServerResponse, parts: HttpParts, served: ServedRoute) {
    this.request = request
    this.incoming = request.raw
    this.outgoing = outgoing
    this.parts = parts
    this.served = served
  }
}

/** A route with what could be worked out before the first request. */
export interface ServedRoute {
  readonly app: Pick<App, 'name'>
  readonly route: Route
  /** `/api/cosnap/photos/{id}`: the label of metrics and logs. */
  readonly template: string
  readonly before: readonly Before[]
  readonly around: Around
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly resource?: string
}

/** Synchronous where it can be: a promise costs more than most stages do. */
export type Before = (exchange: Exchange) => undefined | Promise<void>
export type Around = (exchange: Exchange, next: () => Promise<Answer>) => Promise<Answer>
