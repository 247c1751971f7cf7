import { type FieldFault, fault } from '@seaworthy/core'
import type { z } from 'zod'
import type { FieldChoice, Route } from '../../definition/index.ts'
import type { Before, Exchange } from '../exchange.ts'
import { readFields } from './choose-fields.ts'

const FIELDS_MAX = 20
/** A message may name what was sent: whoever sends much must not get much back. */
const MESSAGE_MAX = 200

/** Parses parameters, query and body into typed values; unknown names are refused. */
export function validate(route: Route, choice: FieldChoice | undefined): Before {
  const { params, query, body } = route
  const bodySchema = body && !('kind' in body) ? (body as z.ZodType) : undefined
  return (exchange) => {
    const faults: FieldFault[] = []
    if (params) exchange.params = parse(params, exchange.request.params, 'path', faults)
    const given = choice ? takeFields(exchange, choice, faults) : exchange.request.query
    if (query) exchange.query = parse(query, given, 'query', faults)
    else refuseQuery(given, faults)
    if (bodySchema) exchange.body = parse(bodySchema, exchange.body, 'body', faults)
    if (faults.length)
      throw fault('invalid_input', {
        detail: faults
          .map((found) => `${found.path}: ${found.message}`)
          .slice(0, 3)
          .join('; '),
        fields: faults.slice(0, FIELDS_MAX),
      })
    return undefined
  }
}

/** What is left of the query is the route's own. */
function takeFields(exchange: Exchange, choice: FieldChoice, faults: FieldFault[]): unknown {
  const query = exchange.request.query as Record<string, unknown>
  if (query.fields === undefined) return query
  const { fields, ...rest } = query
  exchange.fields = readFields(fields, choice, faults)
  return rest
}

function parse(schema: z.ZodType, value: unknown, where: string, faults: FieldFault[]): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues)
    faults.push({
      path: [where, ...issue.path.map(String)].join('.'),
      message: issue.message.slice(0, MESSAGE_MAX),
    })
  return undefined
}

function refuseQuery(query: unknown, faults: FieldFault[]): void {
  for (const name in query as object) faults.push({ path: `query.${name.slice(0, 50)}`, message: 'is not known here' })
}
