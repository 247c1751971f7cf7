import { addressOf, type Route } from '@seaworthy/platform/definition'
import { type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allApps } from './all-apps.ts'

/** Generated from the definitions: what every route must refuse. A new route is tested by being defined. */
const routes = allApps.flatMap((app) =>
  app.routes.map((route: Route) => ({ route, name: route.name, address: addressOf(app, route) })),
)
const someId = '01890000-0000-7000-8000-000000000000'

const isJson = ({ body }: Route): boolean => body !== undefined && !('kind' in body)
const isPhoto = ({ body }: Route): boolean => body !== undefined && 'kind' in body && body.kind === 'photo'

describe('every route', () => {
  let service: TestService
  let person: Newcomer
  let operator: Newcomer
  beforeAll(async () => {
    service = await openTestService()
    operator = await service.operator()
    person = operator
  })
  afterAll(() => service.close())

  const url = (address: string, id = someId): string => `${service.url}${address.replace(/\{[^}]+\}/g, id)}`
  const send = (route: Route, address: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url(address), {
      method: route.method,
      ...init,
      headers: { authorization: `Bearer ${person.token}`, 'idempotency-key': `k-${Math.random()}`, ...init.headers },
    })

  async function expectProblem(response: Response, status: number): Promise<{ code: string; requestId: string }> {
    const body = await response.json()
    expect(response.status, JSON.stringify(body)).toBe(status)
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(body).toMatchObject({
      status,
      code: expect.any(String),
      title: expect.any(String),
      requestId: expect.any(String),
    })
    expect(JSON.stringify(body)).not.toMatch(/ at |node_modules|select |insert /)
    return body
  }

  it.each(routes.filter(({ route }) => route.auth !== 'public'))(
    '$name refuses a caller who is not signed in',
    async ({ route, address }) => {
      await expectProblem(await fetch(url(address), { method: route.method }), 401)
    },
  )

  it.each(routes.filter(({ route }) => route.auth === 'operator'))(
    '$name refuses a caller who is no operator',
    async ({ route, address }) => {
      const { token } = await service.newcomer()
      await expectProblem(await send(route, address, { headers: { authorization: `Bearer ${token}` } }), 403)
    },
  )

  it.each(routes)('$name refuses a token that is not ours', async ({ route, address }) => {
    await expectProblem(
      await send(route, address, { headers: { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' } }),
      401,
    )
  })

  it.each(routes.filter(({ route }) => route.params))(
    '$name answers 404 for what does not exist, and 400 for what cannot',
    async ({ route, address }) => {
      const init = isJson(route) ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}
      const status = (await send(route, address, init)).status
      expect([400, 404]).toContain(status)
      const odd = await fetch(url(address, 'no id at all'), {
        method: route.method,
        ...init,
        headers: { authorization: `Bearer ${person.token}`, ...init.headers },
      })
      await expectProblem(odd, 400)
    },
  )

  it.each(routes)('$name refuses a query that it does not know', async ({ route, address }) => {
    const init = isJson(route)
      ? { body: '{}', headers: { 'content-type': 'application/json' } }
      : isPhoto(route)
        ? { body: 'x' }
        : {}
    const response = await send(route, `${address}?surprise=1`, init)
    expect([400, 422]).toContain(response.status)
  })

  const hostile: [string, string, number][] = [
    ['nothing', '', 400],
    ['broken JSON', '{"a":', 400],
    ['a number', '7', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['an unknown name', '{"surprise":1}', 400],
    ['a prototype', '{"__proto__":{"admin":true}}', 400],
    ['a NUL', '{"email":"a\\u0000b"}', 400],
    ['a deep bomb', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 400],
    ['a wide bomb', `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join()}}`, 400],
    ['two megabytes', `{"a":"${'x'.repeat(2 << 20)}"}`, 413],
  ]
  describe.each(routes.filter(({ route }) => isJson(route)))('$name', ({ route, address }) => {
    // Where few tries are let through, each is somebody else's.
    beforeEach(async () => {
      if (route.auth === 'operator') person = operator
      else if (route.limit.kind === 'rate' && route.limit.max <= hostile.length) person = await service.newcomer()
    })
    it.each(hostile)('refuses %s', async (_, body, status) => {
      await expectProblem(await send(route, address, { body, headers: { 'content-type': 'application/json' } }), status)
    })
    it('refuses broken UTF-8', async () => {
      const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
      await expectProblem(await send(route, address, { body, headers: { 'content-type': 'application/json' } }), 400)
    })
    it('refuses another kind of content', async () => {
      await expectProblem(
        await send(route, address, { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
        415,
      )
    })
  })

  it.each(routes.filter(({ route }) => route.idempotency))(
    '$name refuses to work without an idempotency key',
    async ({ route, address }) => {
      const response = await fetch(url(address), {
        method: route.method,
        headers: { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ photoId: someId, effect: 'noir', strength: 50 }),
      })
      await expectProblem(response, 400)
    },
  )

  it.each(routes.filter(({ route }) => route.method !== 'GET'))(
    "$name refuses another site's page",
    async ({ route, address }) => {
      await expectProblem(await send(route, address, { headers: { origin: 'https://evil.example' } }), 403)
      await expectProblem(await send(route, address, { headers: { origin: 'null' } }), 403)
    },
  )

  it('is in the OpenAPI document, with its limit, its role and its audit action', async () => {
    const document = await (await fetch(`${service.url}/openapi.json`)).json()
    expect(document.openapi).toBe('3.1.0')
    for (const { route, address } of routes) {
      const operation = document.paths[address]?.[route.method.toLowerCase()]
      expect(operation, route.name).toMatchObject({ operationId: route.name, 'x-role': route.auth })
      if (route.method !== 'GET') expect(operation['x-audit']).toBe(route.audit)
    }
    const listed = Object.values(document.paths as Record<string, object>).flatMap((path) => Object.keys(path))
    expect(listed).toHaveLength(routes.length)
    const { valid, errors } = await new Validator().validate(document)
    expect(errors).toBeUndefined()
    expect(valid).toBe(true)
  })
})

describe('limits of Cosnap, as its document states them', () => {
  it.each([
    ['upload', 20, 'UPLOAD_RATE_LIMIT_MAX'],
    ['effects', 50, 'EFFECTS_RATE_LIMIT_MAX'],
    ['general', 100, 'RATE_LIMIT_MAX'],
  ])('lets %s through exactly %i times in 15 minutes', async (kind, max, setting) => {
    const service = await openTestService({
      [setting]: String(max),
      ...(setting === 'RATE_LIMIT_MAX' ? {} : { RATE_LIMIT_MAX: '10000' }),
    })
    try {
      const person = await service.newcomer()
      const call = (): Promise<Response> =>
        kind === 'upload'
          ? person.fetch('/api/cosnap/photos', { method: 'POST', body: 'x' })
          : kind === 'effects'
            ? person.fetch('/api/cosnap/runs', {
                method: 'POST',
                body: '{}',
                headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
              })
            : person.fetch(`/api/cosnap/runs/${someId}/cancel`, { method: 'POST' })
      for (let i = 1; i <= max; i++) {
        const response = await call()
        await response.arrayBuffer()
        expect(response.status).not.toBe(429)
        expect(response.headers.get('ratelimit')).toMatch(new RegExp(`"cosnap.${kind}";r=${max - i};t=\\d+`))
        expect(response.headers.get('ratelimit-policy')).toBe(`"cosnap.${kind}";q=${max};w=900`)
      }
      const refused = await call()
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    } finally {
      await service.close()
    }
  })

  it('lets five tries to sign in through from one network', async () => {
    const service = await openTestService({ AUTH_RATE_LIMIT_MAX: '5' })
    try {
      const guess = () =>
        fetch(`${service.url}/api/identity/sign-in`, {
          method: 'POST',
          body: '{"email":"a@b.cd","password":"guess"}',
          headers: { 'content-type': 'application/json' },
        })
      const statuses: number[] = []
      for (let i = 0; i < 7; i++) statuses.push((await guess()).status)
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    } finally {
      await service.close()
    }
  })
})
