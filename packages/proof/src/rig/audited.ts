import { randomUUID } from 'node:crypto'
import { type DocumentedRoute, documentedRoutes } from './api-document.ts'
import type { DatabaseClient } from './database.ts'
import { MISSING } from './foreign.ts'
import { jsonBody, type Person } from './person.ts'
import { jpegPhoto } from './photo.ts'
import type { Stack } from './stack.ts'

/** A change that was asked for, and how it was answered. */
export interface Asked {
  readonly route: DocumentedRoute
  readonly requestId: string
  readonly path: string
  readonly status: number
  readonly answeredAt: number
  readonly reply: unknown
}

const AGENT = 'seaworthy-proof/1.0'

/** Every route that changes something, as the document of the API says. */
export const changes = async (url: string): Promise<DocumentedRoute[]> =>
  (await documentedRoutes(url)).filter(({ method }) => method !== 'GET')

type Fill = Readonly<Record<string, string>>

async function ask(
  stack: Stack,
  route: DocumentedRoute,
  path: string,
  init: RequestInit,
  token?: string,
): Promise<Asked> {
  const requestId = randomUUID()
  const response = await fetch(`${stack.url}${path}`, {
    ...init,
    method: route.method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      'user-agent': AGENT,
      'x-request-id': requestId,
      'idempotency-key': requestId,
      ...init.headers,
    },
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return {
    route,
    requestId,
    path: path.replace(/\?.*/, ''),
    status: response.status,
    answeredAt: Date.now(),
    reply: isJson && text ? JSON.parse(text) : undefined,
  }
}

/** Something that the route must refuse: an id that nobody has, a question that it does not know. */
export function askWrongly(stack: Stack, route: DocumentedRoute, token: string): Promise<Asked> {
  const path = route.path.replace(/\{[^}]+\}/g, MISSING)
  const isJson = route.operation.requestBody?.content['application/json']
  return ask(stack, route, `${path}?surprise=1`, isJson ? jsonBody({}) : {}, token)
}

/** How each route is asked so that it does what it is for, in the order in which one leads to the next. */
export async function askRightly(stack: Stack, person: Person, routes: readonly DocumentedRoute[]): Promise<Asked[]> {
  const asked: Asked[] = []
  const use = async (id: string, init: RequestInit, fill: Fill = {}, query = '', token = person.token) => {
    const route = routes.find(({ operation }) => operation.operationId === id)
    if (!route) throw new Error(`there is no route ${id} any more`)
    const path = route.path.replace(/\{([^}]+)\}/g, (_, name: string) => fill[name] ?? MISSING)
    const one = await ask(stack, route, path + query, init, token)
    asked.push(one)
    return (one.reply ?? {}) as { id?: string; accessToken?: string }
  }
  const { password } = person
  const email = `audited-${randomUUID()}@example.com`
  await use('identity.sign-up', jsonBody({ email, password }), {}, '', '')
  const { accessToken = '' } = await use('identity.sign-in', jsonBody({ email, password }), {}, '', '')
  await use('identity.refresh', { headers: { cookie: person.cookie } }, {}, '', '')
  const upload = await use('uploads.begin', jsonBody({ bytes: 5 }))
  await use('uploads.append', { body: 'hello' }, { id: upload.id ?? '' }, '?offset=0')
  const photo = await use('cosnap.photos.upload', { body: await jpegPhoto(4_000, 3_000) })
  const effect = { photoId: photo.id, effect: 'oil', strength: 60 }
  const first = await use('cosnap.runs.start', jsonBody(effect))
  const second = await use('cosnap.runs.start', jsonBody(effect))
  await use('cosnap.runs.cancel', {}, { id: second.id ?? '' })
  await use('cosnap.runs.delete', {}, { id: second.id ?? '' })
  const other = await use('cosnap.photos.upload', { body: await jpegPhoto(64, 48) })
  await use('cosnap.photos.delete', {}, { id: other.id ?? '' })
  await use('privacy.export', jsonBody({ password }))
  await use('identity.sign-out', {}, {}, '', accessToken)
  if (!first.id) throw new Error('no effect was started')
  return asked
}

interface Line {
  readonly [column: string]: unknown
}

/** What is wrong with the line of each change: none, more than one, a column that is empty or says something else. */
export async function faultsOf(admin: DatabaseClient, asked: readonly Asked[]): Promise<string[]> {
  const { rows } = await admin.query<Line>('select * from seaworthy.audit where request_id = any ($1)', [
    asked.map(({ requestId }) => requestId),
  ])
  return asked.flatMap((one) => {
    const lines = rows.filter((row) => row.request_id === one.requestId)
    const where = `${one.route.method} ${one.route.path} ${one.status}`
    const [line] = lines
    if (!line || lines.length > 1) return [`${where}: ${lines.length} lines`]
    const wrong = Object.entries(expected(one)).filter(([name, isRight]) => !isRight(line[name]))
    return wrong.map(([name]) => `${where}: ${name} is ${String(line[name])}`)
  })
}

type Check = (value: unknown) => boolean
const isText: Check = (value) => typeof value === 'string' && value.length > 0
const is =
  (wanted: unknown): Check =>
  (value) =>
    value === wanted

function expected({ route, path, status }: Asked): Readonly<Record<string, Check>> {
  const ok = status < 400
  const isPublic = route.operation['x-role'] === 'public'
  return {
    account_id: ok || !isPublic ? isText : () => true,
    user_id: ok || !isPublic ? isText : () => true,
    action: is(route.operation['x-audit']),
    outcome: is(ok ? 'done' : 'refused'),
    status: is(status),
    method: is(route.method),
    route: is(route.path),
    path: is(path),
    network: is('127.0.x.x'),
    user_agent: is(AGENT),
    duration_ms: (value) => typeof value === 'number' && value >= 0,
    created_at: (value) => value instanceof Date,
    error_code: ok ? is(null) : isText,
    error_text: ok ? is(null) : isText,
  }
}
