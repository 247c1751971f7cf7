import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes } from '../../rig/api-document.ts'
import { type DocumentedRequest, type KnownValues, leavesOf, requestOf } from '../../rig/documented-requests.ts'
import { countedInDatabase, makeLimitsEndless } from '../../rig/endless-limits.ts'
import { MISSING } from '../../rig/foreign.ts'
import { PASSWORD, type Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import { type InjectionSearch, type SearchResult, searchInjections } from '../../rig/sqlmap.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

/** At once; sqlmap itself is slower than the service. */
const PARALLEL = 3
/** Where headers and cookies are searched too: they are read by the same few stages for all, and here also by the route. */
const withHeaders = new Set([
  'GET /api/identity/me',
  'POST /api/identity/refresh',
  'PATCH /api/identity/accounts/{id}',
  'POST /api/cosnap/runs',
])
const headers = {
  'X-Forwarded-For': '203.0.113.7',
  'X-Request-Id': 'boat',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Accept-Language': 'en',
  'Idempotency-Key': 'boat',
}
/** Two cookies, and the two headers that sqlmap searches by itself. */
const OF_EVERY_REQUEST = 4

export const claim = defineClaim({
  id: 'INP-01',
  says: 'sqlmap at level 3 and risk 2, with all its techniques for PostgreSQL, finds nothing injectable in any parameter, field or path value of any documented route (passwords, which are only hashed, at level 1), nor in headers and cookies on four routes that read them; and nothing that it sends makes the service fail',
  answers: ['H11', 'ASVS 1.2.4', 'ASVS 2.2.2'],
  witness: 'sqlmap, with one search for each route of /openapi.json',
  needs: ['sqlmap'],
  tier: 'soak',
  seconds: 400,
  limits: {
    'injectable values': exactly(0, 'values'),
    'answers with 5xx but 503': exactly(0, 'answers'),
    'values that were not searched to the end': exactly(0, 'values'),
    'values searched': atLeast(150, 'values'),
    'routes searched': atLeast(60, 'routes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { ...countedInDatabase, TRUSTED_PROXIES: '1' } })
    await makeLimitsEndless(stack)
    const operator = await stack.operator()
    const routes = await documentedRoutes(stack.url)
    const searches = await searchAll(rig, stack, routes, operator)
    const counted = (ofStatus: (status: number) => boolean): number =>
      searches
        .flatMap(({ result }) => Object.entries(result.answers))
        .reduce((sum, [status, count]) => sum + (ofStatus(Number(status)) ? count : 0), 0)
    const expected = searches.reduce((sum, search) => sum + search.values, 0)
    const found = searches.reduce((sum, { result }) => sum + result.sound.length + result.injectable.length, 0)
    const injectable = searches.flatMap(({ name, result }) => result.injectable.map((value) => `${name}: ${value}`))
    return {
      measured: {
        'injectable values': injectable.length,
        // 503 is a refusal while the machine has too much to do.
        'answers with 5xx but 503': counted((status) => status >= 500 && status !== 503),
        // Whoever has found one way in need not look for others: the search ends there.
        'values that were not searched to the end': injectable.length ? 0 : expected - found,
        'values searched': injectable.length ? expected : found,
        'routes searched': new Set(searches.map(({ name }) => name)).size,
      },
      met: {
        'tens of thousands of requests were answered': injectable.length > 0 || counted(() => true) > 20_000,
        'hardly anything was refused by a limit': counted((status) => status === 429) < 0.01 * counted(() => true),
        'most were looked at': counted((status) => status === 401) < 0.2 * counted(() => true),
      },
      evidence: [
        ...injectable,
        ...searches.flatMap(({ name, values, result }) => tell(name, values, result)),
        `${counted(() => true)} requests`,
      ].slice(0, 30),
    }
  },
  sabotages: [
    patch(
      'a filter of the audit list is put into the statement as text',
      'packages/platform/src/audit/read.ts',
      'sql`a.${sqlName(column)} = ${value}`',
      "sql([`a.${column} = '${value}'`])",
    ),
    patch(
      'the idempotency key is looked for by text, whatever it looks like',
      'packages/platform/src/http/stages/idempotency.ts',
      'const key = readKey(exchange)',
      "const key = String(exchange.incoming.headers['idempotency-key'])\n  await tx.run(sql([`select 1 from seaworthy.idempotency where key = '${key}'`]))",
    ),
  ],
})

interface Search {
  readonly name: string
  readonly values: number
  readonly result: SearchResult
}

/** Route by route until all are searched or one is injectable. */
async function searchAll(
  rig: Rig,
  stack: Stack,
  routes: readonly DocumentedRoute[],
  operator: Person,
): Promise<Search[]> {
  const done: Search[] = []
  // The longest first, so that none is left alone at the end.
  const length = ({ operation }: DocumentedRoute): number =>
    operation.parameters.length + (operation.requestBody ? 3 : 0)
  const queue = routes.toSorted((one, other) => length(other) - length(one)).values()
  const work = async (): Promise<void> => {
    for (const route of queue) {
      if (done.some(({ result }) => result.injectable.length > 0)) return
      const person = route.operation['x-role'] === 'operator' ? await stack.signIn(operator) : await stack.newcomer()
      const name = `${route.method} ${route.path}`
      for (const { search, values } of partsOf(requestOf(route, await valuesFor(route, person)), person)) {
        const result = await searchInjections(rig, { ...search, url: stack.url, token: person.token })
        done.push({ name, values, result })
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return done
}

/** A route, or what of it has to be searched for itself, and how many values that is. */
interface Part {
  readonly search: Omit<InjectionSearch, 'url' | 'token'>
  readonly values: number
}

/** Only hashed, which is dear on purpose: each try costs a tenth of a second of a core. */
const hashed = ['password', 'current']

/** sqlmap leaves out what has such a name, as if a program had made it up, unless it is asked for it. */
const isTokenName = (name: string): boolean => /token|csrf|xsrf/i.test(name)

function partsOf(request: DocumentedRequest, person: Person): Part[] {
  const { route, path, body } = request
  const asked = withHeaders.has(`${route.method} ${route.path}`)
  const { cursor, ...query } = request.query
  const names = [...Object.keys(query), ...namesOf(body)]
  const secrets = names.filter((name) => hashed.includes(name))
  const tokens = names.filter(isTokenName)
  const marked = { ...request.headers, ...(asked ? headers : {}) }
  const parts: Part[] = [
    {
      search: { request: { ...request, query, headers: {} }, marked: { headers: marked }, without: names },
      values: leavesOf(path) + leavesOf(marked),
    },
    {
      search: {
        request: { ...request, query },
        without: secrets,
        ...(asked ? { cookie: `${person.cookie}; device=a.b` } : {}),
      },
      values: leavesOf(query) + leavesOf(body) - secrets.length - tokens.length + (asked ? OF_EVERY_REQUEST : 0),
    },
    // One that is none makes every answer the same.
    {
      search: { request: { ...request, query: { cursor: cursor ?? '' } }, only: ['cursor'] },
      values: cursor === undefined ? 0 : 1,
    },
    { search: { request, only: secrets, level: 1 }, values: secrets.length },
    { search: { request: { ...request, body: withoutGaps(body) }, only: tokens }, values: tokens.length },
  ]
  return parts.filter(({ values }) => values > 0)
}

/** There is nothing to change in an empty value. */
const withoutGaps = (body: unknown): unknown =>
  typeof body === 'object' && body !== null
    ? Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value === '' ? 'boat' : value]))
    : body

/** Of the fields of a body, however deep. */
const namesOf = (body: unknown): string[] =>
  typeof body === 'object' && body !== null
    ? Object.entries(body).flatMap(([name, inner]) => [name, ...namesOf(inner)])
    : []

/** Things that are there, so that an honest answer differs from that of a statement which was changed. */
async function valuesFor({ method, path }: DocumentedRoute, person: Person): Promise<KnownValues> {
  const { items } = await person.json<{ items: { kind: string; action: string; outcome: string }[] }>('/api/audit')
  const { kind = 'security', action = 'sign_up', outcome = 'done' } = items[0] ?? {}
  const isPhoto = method === 'GET' && path === '/api/cosnap/photos/{id}'
  const isAccount = path === '/api/identity/accounts/{id}'
  return {
    ...{ kind, action, outcome, user: person.userId, from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' },
    ...{ email: person.email, password: PASSWORD, operatorToken: '', scopes: ['cosnap:read'], name: 'boat', limit: 2 },
    id: isPhoto ? await uploadPhoto(person, await jpegPhoto(64, 48)) : isAccount ? person.accountId : MISSING,
    path: '/api/identity/me',
  }
}

const tell = (name: string, values: number, { sound, injectable, answers, problem }: SearchResult): string[] =>
  problem || sound.length + injectable.length !== values || Object.keys(answers).some((status) => Number(status) >= 500)
    ? [`${name}: ${sound.length} of ${values}, ${JSON.stringify(answers)} ${problem ?? ''}`]
    : []
