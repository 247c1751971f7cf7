import type { Readable } from 'node:stream'
import type { Caller, Role } from '@seaworthy/core'
import type { z } from 'zod'
import type { Ai } from '../ai/index.ts'
import type { AuditDetails, EventOrigin } from '../audit/index.ts'
import type { Transaction } from '../data/index.ts'
import type { Flags } from '../flags/index.ts'
import type { RateClass } from '../limits/index.ts'
import type { Media, StoredPhoto } from '../media/index.ts'
import type { Logger, Trace } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'
import type { Cursors } from './page.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Who may call: anybody, a member of an account with at least this role, or an operator of the installation. */
export type Auth = 'public' | Role | 'operator'

/** Written where a route that changes something takes no body. */
export const noBody = { kind: 'none' } as const

/** A photo, raw or as the first file of a form: received within its limit, cleaned, and stored before `handle` runs. */
export interface PhotoUpload {
  readonly kind: 'photo'
  readonly maxBytes: number
}

export const photoUpload = (options: { readonly maxBytes: number }): PhotoUpload => ({ kind: 'photo', ...options })

/** Bytes as they arrive, for `handle` to read: of any kind, and at most so many. */
export interface StreamBody {
  readonly kind: 'stream'
  readonly maxBytes: number
}

export const streamBody = (options: { readonly maxBytes: number }): StreamBody => ({ kind: 'stream', ...options })

export type Body = z.ZodType | PhotoUpload | StreamBody | typeof noBody
export type Replies = Readonly<Record<number, z.ZodType>>
export type TransactionMode = 'write' | 'read' | 'none'

type Out<T> = T extends z.ZodType ? z.output<T> : undefined
type BodyValue<B> = B extends z.ZodType
  ? z.output<B>
  : B extends PhotoUpload
    ? StoredPhoto
    : B extends StreamBody
      ? Readable
      : undefined
type CallerOf<A> = A extends 'public' ? Caller | undefined : Caller
type TransactionOf<T> = T extends 'none' ? undefined : Transaction

/** A request to another route of this service. */
export interface RouteAsk {
  readonly method: Method
  /** From `/api/` on, with its query. */
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string | undefined
}

export interface RouteTold {
  readonly status: number
  readonly body: unknown
}

/** What a handler gets. */
export interface RouteContext<A, P, Q, B, T> {
  readonly caller: CallerOf<A>
  readonly params: Out<P>
  readonly query: Out<Q>
  readonly body: BodyValue<B>
  /** The caller's transaction: row, job, ledger line and audit record are one commit. */
  readonly tx: TransactionOf<T>
  /** A short transaction of the caller's own, for routes with `transaction: 'none'`. */
  read<V>(work: (tx: Transaction) => Promise<V>): Promise<V>
  /** For routes with `transaction: 'none'`: the audit line, in the transaction in which the change is made. */
  audit(tx: Transaction, caller: Caller, status: number, resource?: string, details?: AuditDetails): Promise<void>
  /** Another route of this service, asked as the same caller, with its own limits, authorisation and audit line. */
  call(ask: RouteAsk): Promise<RouteTold>
  readonly media: Media
  /** Asks AI engines, outside of transactions. */
  readonly ai: Ai
  readonly flags: Flags
  /** Seals and opens fields of declared tables. */
  readonly vault: Vault
  /** For `toPage`: cursors of this list, for this caller. */
  readonly cursors: Cursors
  /** Aborted when the caller is gone or has waited as long as it said it would (`Prefer: wait=`). */
  readonly signal: AbortSignal
  readonly trace: Trace
  readonly requestId: string
  /** Where the request came from, for `recordEvent`. */
  readonly origin: EventOrigin
  /** Masked; for lists of devices. */
  readonly network: string
  readonly log: Logger
  header(name: string): string | undefined
  cookie(name: string): string | undefined
}

/** Several values for what may come several times, such as `set-cookie`. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>

/** What a handler gives: one of the declared statuses with its body. Fields that are not declared are dropped. */
export type RouteAnswer<R extends Replies> = {
  [S in keyof R & number]: {
    readonly status: S
    readonly body: z.input<R[S]>
    readonly headers?: AnswerHeaders
    readonly resource?: string
    /** For the audit line. */
    readonly details?: AuditDetails
  }
}[keyof R & number]

type ParamName<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamName<Rest>
  : never

interface RouteShape {
  readonly kind: 'route'
  /** With the app's name in front: `cosnap.photos.upload`. */
  readonly name: string
  readonly method: Method
  /** Below `/api/<app>`: `/photos/{id}`. */
  readonly path: string
  readonly summary: string
  readonly auth: Auth
  /** The caller must have shown within the last minutes who they are, with a password, a code or a passkey. */
  readonly fresh?: true | undefined
  readonly limit: RateClass
  readonly params?: z.ZodType | undefined
  readonly query?: z.ZodType | undefined
  readonly body?: Body | undefined
  readonly reply: Replies
  /** Error codes that this route gives on purpose, for its documentation. */
  readonly errors?: readonly string[] | undefined
  readonly transaction: TransactionMode
  /** The action that the audit line names. */
  readonly audit?: string | undefined
  /** Its line is one of the security events. */
  readonly security?: true | undefined
  /** The same key gives the first answer back. Needs a transaction. */
  readonly idempotency?: 'required' | undefined
}

export interface Route<
  M extends Method = Method,
  Path extends string = string,
  P = unknown,
  Q = unknown,
  B = unknown,
  R extends Replies = Replies,
> extends RouteShape {
  readonly method: M
  readonly path: Path
  readonly types?: { readonly params: P; readonly query: Q; readonly body: B; readonly reply: R }
  readonly handle: (context: never) => Promise<{
    readonly status: number
    readonly body: unknown
    readonly headers?: AnswerHeaders
    readonly resource?: string
    readonly details?: AuditDetails
  }>
}

type Writes<M> = M extends 'GET'
  ? { readonly body?: never; readonly audit?: never }
  : { readonly body: Body; readonly audit: string }
type Params<Path extends string, P> =
  ParamName<Path> extends never
    ? { readonly params?: never }
    : { readonly params: P & z.ZodType<Record<ParamName<Path>, unknown>> }

/**
 * One route. Leaving out auth, limit, reply, the schema of a path's parameters or, on a route that changes something,
 * body or audit does not compile.
 *
 * @example
 * export const deletePhoto = route({
 *   name: 'cosnap.photos.delete', method: 'DELETE', path: '/photos/{id}', summary: 'Delete a photo',
 *   auth: 'member', limit: rates.general, params: z.strictObject({ id: z.uuid() }), body: noBody,
 *   reply: { 204: z.undefined() }, audit: 'photo_delete',
 *   handle: async ({ params, tx }) => { ... return { status: 204, body: undefined } },
 * })
 */
export function route<
  const M extends Method,
  const Path extends string,
  const A extends Auth,
  R extends Replies,
  P = undefined,
  Q = undefined,
  B = undefined,
  const T extends TransactionMode = M extends 'GET' ? 'read' : 'write',
>(
  definition: {
    readonly name: string
    readonly method: M
    readonly path: Path
    readonly summary: string
    readonly auth: A
    readonly fresh?: A extends 'public' ? never : true
    readonly limit: RateClass
    readonly query?: Q & z.ZodType
    readonly body?: B
    readonly reply: R
    readonly errors?: readonly string[]
    readonly transaction?: T
    readonly idempotency?: T extends 'write' ? 'required' : never
    readonly security?: true
    readonly handle: (context: RouteContext<A, P, Q, B, T>) => Promise<RouteAnswer<NoInfer<R>>>
  } & Writes<M> &
    Params<Path, P>,
): Route<M, Path, P, Q, B, R> {
  const transaction = definition.transaction ?? (definition.method === 'GET' ? 'read' : 'write')
  return { ...(definition as unknown as Route<M, Path, P, Q, B, R>), kind: 'route', transaction }
}
