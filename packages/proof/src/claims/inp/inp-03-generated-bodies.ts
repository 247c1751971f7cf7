import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes, type JsonSchema } from '../../rig/api-document.ts'
import { mistakesOf, valuesOf, whyNot } from '../../rig/documented-values.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

/** Of each kind for each route; many right ones work on a password, which is dear on purpose. */
const WRONG = 80
const RIGHT = 15
/** Operators are few: what one may not do any more is not asked as another. */
const ENOUGH = 80

export const claim = defineClaim({
  id: 'INP-03',
  says: 'For each route with a JSON body, what the document allows is taken, what it forbids is refused, nothing fails, and answers are as documented',
  answers: ['H1', 'H2', 'ASVS 2.2.1', 'ASVS 2.2.2', 'ASVS 4.1.1', 'ASVS 15.3.3'],
  witness: 'bodies made by fast-check from /openapi.json',
  tier: 'full',
  seconds: 40,
  limits: {
    'right bodies refused as wrong': exactly(0, 'bodies'),
    'wrong bodies not refused with 400': exactly(0, 'bodies'),
    'answers with 5xx': exactly(0, 'answers'),
    'answers that differ from the document': exactly(0, 'answers'),
    'routes tried': atLeast(25, 'routes'),
    'bodies sent': atLeast(2_400, 'bodies'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { TRUSTED_PROXIES: '1' } })
    const operator = await stack.operator()
    const documented = await documentedRoutes(stack.url)
    const routes = documented.filter(({ operation }) => schemaOf(operation))
    const seen: Seen = { refused: [], taken: [], failed: [], differing: [], sent: 0, least: Number.POSITIVE_INFINITY }
    for (const route of routes) await tryRoute(openSender(stack, operator, route, seen), route, seen, rig.seed)
    return {
      measured: {
        'right bodies refused as wrong': seen.refused.length,
        'wrong bodies not refused with 400': seen.taken.length,
        'answers with 5xx': seen.failed.length,
        'answers that differ from the document': seen.differing.length,
        'routes tried': routes.length,
        'bodies sent': seen.sent,
      },
      met: { 'every route got many': seen.least >= ENOUGH },
      evidence: [seen.refused, seen.taken, seen.failed, seen.differing].flatMap(onePerRoute),
    }
  },
  sabotages: [
    patch(
      'one mistake is forgiven',
      'packages/platform/src/http/stages/validate.ts',
      'if (faults.length)',
      'if (faults.length > 1)',
    ),
    patch(
      'the document forgets what a text must look like',
      'packages/platform/src/definition/openapi.ts',
      'const { $schema: _, ...rest } = z.toJSONSchema(schema,',
      'const { $schema: _, pattern: __, required: ___, ...rest } = z.toJSONSchema(schema,',
    ),
  ],
})

interface Seen {
  readonly refused: string[]
  readonly taken: string[]
  readonly failed: string[]
  readonly differing: string[]
  sent: number
  /** By any route. */
  least: number
}

const schemaOf = (operation: DocumentedRoute['operation']): JsonSchema | undefined =>
  operation.requestBody?.content['application/json']?.schema

/** What is wrong with one body of a route is wrong with many. */
const onePerRoute = (lines: readonly string[]): string[] => [
  ...new Map(lines.map((line) => [line.split(' ')[0], line])).values(),
]

async function tryRoute({ send, sent }: Sender, route: DocumentedRoute, seen: Seen, seed: number): Promise<void> {
  const schema = schemaOf(route.operation) ?? {}
  for (const body of fc.sample(mistakesOf(schema), { numRuns: WRONG, seed })) {
    const answer = await send(body)
    if (answer && answer.status !== 400)
      seen.taken.push(`${route.path} ${answer.status} ${JSON.stringify(body).slice(0, 300)}`)
  }
  for (const body of fc.sample(valuesOf(schema), { numRuns: RIGHT, seed })) {
    const answer = await send(body)
    if (answer?.isInvalid) seen.refused.push(`${route.path} ${JSON.stringify(body)}`)
  }
  seen.least = Math.min(seen.least, sent())
}

type Sender = ReturnType<typeof openSender>

interface Answer {
  readonly status: number
  /** Its fields are not as documented, as the service sees it. */
  readonly isInvalid: boolean
}

/** Sends bodies to one route, each from a network of its own, as somebody new whenever the last one has to wait. */
function openSender(stack: Stack, operator: Person, route: DocumentedRoute, seen: Seen) {
  const isForOperators = route.operation['x-role'] === 'operator'
  let [person, sent]: [Person | undefined, number] = [isForOperators ? operator : undefined, 0]
  const send = async (body: unknown): Promise<Answer | undefined> => {
    person ??= await stack.newcomer()
    const response = await ask(stack.url, { route, body, person, number: ++seen.sent })
    const text = await response.text()
    const answer: unknown = text === '' ? undefined : JSON.parse(text)
    if (response.status === 429 && isForOperators) return undefined
    if (response.status === 429) person = undefined
    if (response.status === 429 && sent > 0) return send(body)
    sent++
    compare(route, response, answer, seen)
    if (response.status >= 500) seen.failed.push(`${route.path} ${response.status} ${JSON.stringify(body)}`)
    const isInvalid = (answer as { code?: string } | null | undefined)?.code === 'invalid_input'
    return { status: response.status, isInvalid }
  }
  return { send, sent: () => sent }
}

function ask(
  url: string,
  {
    route,
    body,
    person,
    number,
  }: { readonly route: DocumentedRoute; readonly body: unknown; readonly person: Person; readonly number: number },
): Promise<Response> {
  const isPublic = !route.operation.responses['401']
  const headers = {
    'idempotency-key': `generated-${number}`,
    'x-forwarded-for': `198.18.${number >> 8}.${number & 0xff}`,
    ...(isPublic ? {} : { authorization: `Bearer ${person.token}` }),
  }
  const path = route.path.replaceAll(/\{\w+\}/g, randomUUID())
  return fetch(`${url}${path}`, jsonBody(body, headers, route.method))
}

/** With what the document declares for the status. */
function compare(route: DocumentedRoute, { status }: Response, answer: unknown, seen: Seen): void {
  const declared = route.operation.responses[String(status)]
  const schema = declared?.content?.['application/json']?.schema
  const why = declared ? schema && answer !== undefined && whyNot(schema, answer) : 'is not documented'
  if (why) seen.differing.push(`${route.path} ${status} ${why}`)
}
