import type { z } from 'zod'
import type { App } from './app.ts'
import type { PhotoUpload, Replies, Route, StreamBody } from './route.ts'

type In<T> = T extends z.ZodType ? z.input<T> : never
type Problem = {
  type: string
  title: string
  status: number
  code: string
  detail?: string
  requestId: string
  retryAfterSeconds?: number
  fields?: { path: string; message: string }[]
}
type Headers<R> = R extends { idempotency?: 'required' } ? { 'idempotency-key'?: string } : Record<string, string>

type Content<B> = B extends PhotoUpload | StreamBody
  ? { requestBody: { content: { 'application/octet-stream': Blob } } }
  : B extends z.ZodType
    ? { requestBody: { content: { 'application/json': In<B> } } }
    : { requestBody?: never }

/** What `fields` may name: of an answer, or of each item of a list. */
type FieldOf<Rs extends Replies> = 200 extends keyof Rs
  ? z.output<Rs[200]> extends { items: readonly (infer Item)[] }
    ? keyof Item & string
    : keyof z.output<Rs[200]> & string
  : never

type QueryOf<M, Q, Rs extends Replies> = M extends 'GET'
  ? (Q extends z.ZodType ? In<Q> : unknown) & { fields?: readonly FieldOf<Rs>[] }
  : Q extends z.ZodType
    ? In<Q>
    : never

type Operation<R> =
  R extends Route<infer M, infer _Path, infer P, infer Q, infer B, infer Rs>
    ? {
        parameters: (P extends z.ZodType ? { path: In<P> } : { path?: never }) & {
          query?: QueryOf<M, Q, Rs>
          header?: Headers<R>
          cookie?: never
        }
        responses: Answers<Rs> & {
          default: { headers: Record<string, string>; content: { 'application/problem+json': Problem } }
        }
      } & Content<B>
    : never

type Answers<Rs extends Replies> = {
  [S in keyof Rs & number]: { headers: Record<string, string>; content: { 'application/json': z.output<Rs[S]> } }
}

type OfApp<Name extends string, R extends Route> = {
  [Path in R['path'] as `/api/${Name}${Path}`]: {
    [M in Extract<R, { path: Path }>['method'] as Lowercase<M>]: Operation<Extract<R, { path: Path; method: M }>>
  }
}

/** The `paths` of `openapi-fetch`, inferred from an app's routes: no generator, nothing to keep up to date. */
export type PathsOf<A> = A extends App<infer Name, infer Routes> ? OfApp<Name, Routes[number]> : never
