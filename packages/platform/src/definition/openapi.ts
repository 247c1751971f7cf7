import { platformErrors } from '@seaworthy/core'
import { z } from 'zod'
import { type App, addressOf, scopeOf } from './app.ts'
import { fieldChoiceOf } from './fields.ts'
import { fileTypesOf } from './file-reply.ts'
import type { Body, Route } from './route.ts'

type Json = Record<string, unknown>

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; for programs.' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    retryAfterSeconds: { type: 'integer', description: 'As in the Retry-After header.' },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

/** OpenAPI 3.1 of all routes. */
export function renderOpenApi(apps: readonly App[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const app of apps) {
    for (const route of app.routes) {
      const path = addressOf(app, route)
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: renderOperation(app, route) }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Seaworthy', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    tags: apps.map((app) => ({ name: app.name, description: app.title })),
    paths,
    components: {
      schemas: { Problem: problem },
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function renderOperation(app: App, route: Route): Json {
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [app.name],
    security: route.auth === 'public' ? [] : [{ accessToken: [] }],
    'x-role': route.auth,
    ...(route.auth !== 'public' && scopeOf(app, route) ? { 'x-scope': scopeOf(app, route) } : {}),
    ...(route.fresh ? { 'x-fresh': true } : {}),
    ...(route.limit.kind === 'rate'
      ? {
          'x-rate-limit': {
            name: route.limit.name,
            max: route.limit.max,
            windowMs: route.limit.windowMs,
            per: route.limit.per,
          },
        }
      : {}),
    ...(route.audit ? { 'x-audit': route.audit } : {}),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...fieldsParameter(route),
      ...idempotencyParameter(route),
    ],
    ...renderBody(route.body),
    responses: renderResponses(route),
  }
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = toSchema(schema, 'input') as {
    properties?: Record<string, unknown>
    required?: string[]
  }
  return Object.entries(properties).map(([name, inner]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: inner,
  }))
}

function fieldsParameter(route: Route): Json[] {
  const choice = fieldChoiceOf(route)
  if (!choice) return []
  return [
    {
      name: 'fields',
      in: 'query',
      required: false,
      description: `Only these fields${choice.ofItems ? ' of each item' : ''}; all when left out.`,
      style: 'form',
      explode: false,
      schema: { type: 'array', minItems: 1, items: { type: 'string', enum: choice.names } },
    },
  ]
}

function idempotencyParameter(route: Route): Json[] {
  if (route.idempotency !== 'required') return []
  return [
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: true,
      description: 'The same key gives the first answer back.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    },
  ]
}

function renderBody(body: Body | undefined): Json {
  if (!body || ('kind' in body && body.kind === 'none')) return {}
  if ('kind' in body && body.kind === 'stream') {
    const schema = { type: 'string', format: 'binary', maxLength: body.maxBytes }
    return { requestBody: { required: true, content: { 'application/octet-stream': { schema } } } }
  }
  if ('kind' in body && body.kind === 'photo') {
    const binary = { schema: { type: 'string', format: 'binary', maxLength: body.maxBytes } }
    const form = { schema: { type: 'object', properties: { file: binary.schema } } }
    return {
      requestBody: { required: true, content: { 'application/octet-stream': binary, 'multipart/form-data': form } },
    }
  }
  return {
    requestBody: { required: true, content: { 'application/json': { schema: toSchema(body as z.ZodType, 'input') } } },
  }
}

function renderResponses(route: Route): Json {
  const responses: Record<string, Json> = {}
  for (const [status, schema] of Object.entries(route.reply)) {
    const empty = status === '204'
    responses[status] = {
      description: route.summary,
      ...(empty ? {} : { content: renderContent(schema) }),
    }
  }
  for (const status of refusalsOf(route)) {
    responses[String(status)] ??= {
      description: 'Refused',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  }
  return responses
}

function renderContent(schema: z.ZodType): Json {
  const types = fileTypesOf(schema)
  if (!types) return { 'application/json': { schema: toSchema(schema, 'output') } }
  return Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]))
}

/** The statuses that the lifecycle itself may give to this route. */
export function refusalsOf(route: Route): readonly number[] {
  const body = route.body
  const takesBody = body !== undefined && !('kind' in body && body.kind === 'none')
  const declared = (route.errors ?? [])
    .map((code) => (platformErrors as Record<string, { status: number }>)[code]?.status ?? 0)
    .filter(Boolean)
  return [
    400,
    ...(route.auth === 'public' ? [] : [401, 403]),
    ...(route.params ? [404] : []),
    ...(takesBody ? [413, 415] : []),
    ...(route.idempotency ? [409, 422] : []),
    ...(route.limit.kind === 'rate' ? [429] : []),
    ...declared,
    500,
    503,
  ]
}

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): unknown => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}
