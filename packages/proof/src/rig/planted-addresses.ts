import type { DocumentedRoute } from './api-document.ts'
import { addressOf, type DocumentedRequest, type KnownValues, requestOf } from './documented-requests.ts'
import type { Person } from './person.ts'

/** Headers in which some service somewhere has looked for an address. */
const headerNames = [
  ...[
    'referer',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-original-url',
    'x-rewrite-url',
    'true-client-ip',
  ],
  ...['x-wap-profile', 'profile', 'link', 'location', 'content-location', 'destination', 'x-callback-url', 'x-webhook'],
  ...[
    'user-agent',
    'from',
    'cookie',
    'x-request-id',
    'traceparent',
    'baggage',
    'idempotency-key',
    'x-http-host-override',
  ],
]
/** Names that no route has, and that some framework might read all the same. */
const fieldNames = [
  'url',
  'uri',
  'callback',
  'webhook',
  'image',
  'avatar',
  'next',
  'redirect',
  'host',
  'proxy',
  'import',
]

interface Planting {
  readonly url: string
  readonly init: RequestInit
}

/** One request for each place of a route in which an address can stand, and one with all headers at once. */
export function plantings(route: DocumentedRoute, address: string, known: KnownValues): Planting[] {
  const base = requestOf(route, known)
  const all = Object.fromEntries(fieldNames.map((name) => [name, address]))
  const changed: DocumentedRequest[] = [
    ...Object.keys(base.path).map((name) => ({ ...base, path: { ...base.path, [name]: encodeURIComponent(address) } })),
    ...Object.keys(base.query).map((name) => ({ ...base, query: { ...base.query, [name]: address } })),
    ...replacedIn(base.body, address).map((body) => ({ ...base, body })),
    { ...base, query: { ...base.query, ...all } },
    ...(typeof base.body === 'object' ? [{ ...base, body: { ...base.body, ...all } }] : []),
    { ...base, headers: Object.fromEntries(headerNames.map((name) => [name, address])) },
  ]
  return changed.map((request) => ({ url: addressOf(request), init: initOf(request) }))
}

function initOf({ route, headers, body }: DocumentedRequest): RequestInit {
  if (body === undefined) return { method: route.method, headers }
  return {
    method: route.method,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** The value with one text in it replaced, for each text in it. */
function replacedIn(value: unknown, address: string): unknown[] {
  if (typeof value === 'string') return [address]
  if (Array.isArray(value)) return value.flatMap((item) => replacedIn(item, address).map((changed) => [changed]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    replacedIn(inner, address).map((changed) => ({ ...value, [name]: changed })),
  )
}

/** All at once, by somebody of the route's own kind; the answers' statuses. */
export const plant = (person: Person, all: readonly Planting[]): Promise<number[]> =>
  Promise.all(
    all.map(async ({ url, init }) => {
      const response = await person.fetch(url, init).catch((cause: Error) => {
        throw new Error(`${init.method} ${url} was not answered: ${String(cause.cause)}`, { cause })
      })
      await response.arrayBuffer()
      return response.status
    }),
  )
