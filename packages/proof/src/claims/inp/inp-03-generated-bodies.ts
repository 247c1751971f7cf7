import fc from 'fast-check'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes, type JsonSchema } from '../../rig/api-document.ts'
import { mistakesOf, valuesOf, whyNot } from '../../rig/documented-values.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { patch } from '../../sabotage.ts'

const WRONG = 500
/** Each right one signs up or in, which is dear on purpose. */
const RIGHT = 20

export const claim = defineClaim({
  id: 'INP-03',
  says: 'For each route with a JSON body, what the document allows is taken, what it forbids is refused, nothing fails, and answers are as documented',
  answers: ['H1', 'H2', 'ASVS 2.2.1', 'ASVS 2.2.2', 'ASVS 4.1.1', 'ASVS 15.3.3'],
  witness: 'bodies made by fast-check from /openapi.json',
  tier: 'full',
  seconds: 15,
  limits: {
    'right bodies refused as wrong': exactly(0, 'bodies'),
    'wrong bodies not refused with 400': exactly(0, 'bodies'),
    'answers with 5xx': exactly(0, 'answers'),
    'answers that differ from the document': exactly(0, 'answers'),
    'routes tried': atLeast(3, 'routes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const documented = await documentedRoutes(stack.url)
    const routes = documented.filter(({ operation }) => schemaOf(operation))
    const seen: Seen = { refused: [], taken: [], failed: [], differing: [], sent: 0 }
    for (const route of routes) {
      const schema = schemaOf(route.operation) ?? {}
      const sample = <T>(values: fc.Arbitrary<T>, count: number): T[] =>
        fc.sample(values, { numRuns: count, seed: rig.seed })
      for (const body of sample(valuesOf(schema), RIGHT)) {
        const status = await send(stack.url, { route, body, person, seen })
        if (status === 400) seen.refused.push(`${route.path} ${JSON.stringify(body)}`)
      }
      for (const body of sample(mistakesOf(schema), WRONG)) {
        const status = await send(stack.url, { route, body, person, seen })
        if (status !== 400) seen.taken.push(`${route.path} ${status} ${JSON.stringify(body).slice(0, 300)}`)
      }
    }
    return {
      measured: {
        'right bodies refused as wrong': seen.refused.length,
        'wrong bodies not refused with 400': seen.taken.length,
        'answers with 5xx': seen.failed.length,
        'answers that differ from the document': seen.differing.length,
        'routes tried': routes.length,
      },
      met: { 'every body was sent': seen.sent === routes.length * (RIGHT + WRONG) },
      evidence: [...seen.refused, ...seen.taken, ...seen.failed, ...seen.differing].slice(0, 8),
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
}

const schemaOf = (operation: DocumentedRoute['operation']): JsonSchema | undefined =>
  operation.requestBody?.content['application/json']?.schema

/** Sends one, and compares the answer with what the document declares for its status. */
async function send(
  url: string,
  {
    route,
    body,
    person,
    seen,
  }: { readonly route: DocumentedRoute; readonly body: unknown; readonly person: Person; readonly seen: Seen },
): Promise<number> {
  const key = `generated-${++seen.sent}`
  const isPublic = !route.operation.responses['401']
  const headers = { 'idempotency-key': key, ...(isPublic ? {} : { authorization: `Bearer ${person.token}` }) }
  const response = await fetch(`${url}${route.path}`, jsonBody(body, headers, route.method))
  const answer: unknown = await response.json()
  const { status } = response
  const declared = route.operation.responses[String(status)]
  const schema = declared?.content?.['application/json']?.schema
  const why = declared ? schema && whyNot(schema, answer) : 'is not documented'
  if (why) seen.differing.push(`${route.path} ${status} ${why}`)
  if (status >= 500) seen.failed.push(`${route.path} ${status} ${JSON.stringify(body)}`)
  return status
}
