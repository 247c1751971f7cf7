import fc from 'fast-check'
import type { DocumentedRoute, JsonSchema } from './api-document.ts'
import { MISSING } from './foreign.ts'

/** A request as a route's document wants it, in parts, so that each part can be replaced. */
export interface DocumentedRequest {
  readonly route: DocumentedRoute
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** Of a JSON body; absent where there is none. */
  readonly body?: unknown
}

/** Values by the names of fields and parameters; all others are made from their schemas. */
export type KnownValues = Readonly<Record<string, unknown>>

const PATTERN_SEED = 1

/** Every parameter and every field, also those that may be left out. */
export function requestOf(route: DocumentedRoute, known: KnownValues = {}): DocumentedRequest {
  const { parameters, requestBody } = route.operation
  const valuesIn = (place: string): Record<string, string> =>
    Object.fromEntries(
      parameters
        .filter((one) => one.in === place)
        .map(({ name, schema }) => [name, textOf(sampleOf(schema, name, known))]),
    )
  const schema = requestBody?.content['application/json']?.schema
  return {
    route,
    path: valuesIn('path'),
    query: valuesIn('query'),
    headers: valuesIn('header'),
    ...(schema ? { body: sampleOf(schema, '', known) } : {}),
  }
}

/** One value that the schema allows. */
function sampleOf(schema: JsonSchema, name: string, known: KnownValues): unknown {
  if (name in known) return known[name]
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sampleOf(schema.anyOf.at(-1) ?? {}, name, known)
  if (schema.type === 'array') return [sampleOf(schema.items ?? {}, name, known)]
  if (schema.type === 'integer') return schema.minimum ?? 1
  if (schema.type === 'boolean') return true
  if (schema.properties)
    return Object.fromEntries(
      Object.entries(schema.properties).map(([key, inner]) => [key, sampleOf(inner, key, known)]),
    )
  if (schema.type === 'string') return wordOf(schema)
  return { any: 'thing' }
}

function wordOf({ format, pattern, minLength = 0 }: JsonSchema): string {
  if (format === 'uuid') return MISSING
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  if (pattern) return fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: PATTERN_SEED })[0] ?? ''
  return 'boat'.padEnd(minLength, '-')
}

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value))

export function addressOf({ route, path, query }: Pick<DocumentedRequest, 'route' | 'path' | 'query'>): string {
  const filled = route.path.replace(/\{([^}]+)\}/g, (_, name: string) => path[name] ?? '')
  const search = new URLSearchParams(query).toString()
  return search ? `${filled}?${search}` : filled
}

/** How many values there are in a body, however deep. */
export function leavesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1
  return Object.values(value).reduce((sum: number, inner) => sum + leavesOf(inner), 0)
}
