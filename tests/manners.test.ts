import { jpegPhoto, type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const someId = '01890000-0000-7000-8000-000000000000'

describe('API manners', () => {
  let service: TestService
  let person: Newcomer
  beforeAll(async () => {
    service = await openTestService()
    person = await service.newcomer()
  })
  afterAll(() => service.close())

  const read = async (path: string) => {
    const response = await person.fetch(path)
    return { status: response.status, body: await response.json() }
  }

  it('gives the chosen fields of an answer and no others', async () => {
    expect((await read('/api/identity/me?fields=email')).body).toEqual({ email: person.email })
    expect(Object.keys((await read('/api/identity/me?fields=id,role')).body)).toEqual(['id', 'role'])
    expect(Object.keys((await read('/api/identity/me?fields=id&fields=role')).body)).toEqual(['id', 'role'])
  })

  it('chooses of each item of a list, and what stands beside the items stays', async () => {
    await person.fetch('/api/cosnap/photos', { method: 'POST', body: await jpegPhoto() })
    const { data } = await person.api.http.GET('/api/cosnap/photos', { params: { query: { fields: ['id', 'name'] } } })
    expect(data).toEqual({ items: [{ id: expect.any(String), name: expect.anything() }], next: null })
  })

  it.each(['passwordHash', 'password_hash', '__proto__', 'constructor', 'toString', '', 'id,', 'ID', 'id,*'])(
    'refuses the field %j and names those that there are',
    async (fields) => {
      const { status, body } = await read(`/api/identity/me?fields=${encodeURIComponent(fields)}`)
      expect(status).toBe(400)
      expect(body.fields[0].message).toMatch(/is not one of id, email, emailVerified, role, operator$/)
    },
  )

  it('knows no fields where something is changed', async () => {
    expect((await person.fetch('/api/identity/sign-out?fields=id', { method: 'POST' })).status).toBe(400)
  })

  const batch = async (items: unknown[], who = person) => {
    const response = await who.fetch('/api/batch', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
    })
    return { status: response.status, body: await response.json() }
  }

  it('answers each request of a batch by itself, in order', async () => {
    const { status, body } = await batch([
      { method: 'GET', path: '/api/identity/me?fields=email' },
      { method: 'DELETE', path: `/api/cosnap/photos/${someId}` },
      { method: 'GET', path: '/api/nowhere' },
      { method: 'POST', path: '/api/cosnap/runs', body: {}, idempotencyKey: 'batch-1' },
      { method: 'GET', path: '/api/operations/jobs/dead' },
    ])
    expect(status).toBe(200)
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([200, 404, 404, 400, 403])
    expect(body.items[0].body).toEqual({ email: person.email })
    expect(body.items[4].body).toMatchObject({ code: 'forbidden' })
  })

  it('lives on when a body in a batch is not read', async () => {
    const { status, body } = await batch([
      { method: 'GET', path: '/api/identity/me', body: { any: 'thing' } },
      { method: 'PUT', path: '/api/operations/flags', body: { name: 'any', value: true } },
    ])
    expect(status).toBe(200)
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([200, 403])
    expect((await person.fetch('/api/identity/me')).status).toBe(200)
  })

  it('puts no file into a batch, and answers the rest of it', async () => {
    const { status, body } = await batch([
      { method: 'GET', path: '/api/audit/export' },
      { method: 'GET', path: '/api/identity/me?fields=email' },
    ])
    expect(status).toBe(200)
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([400, 200])
    expect(body.items[0].body.detail).toMatch(/by itself/)
  })

  it('writes an audit line for each change in a batch, and one for the batch', async () => {
    const someone = await service.newcomer()
    await batch([{ method: 'DELETE', path: `/api/cosnap/photos/${someId}` }], someone)
    const { rows } = await service.test.admin.query(
      `select action, outcome from seaworthy.audit where account_id = $1 and action <> 'sign_up' or request_id is null`,
      [someone.accountId],
    )
    expect(rows).toEqual([{ action: 'photo_delete', outcome: 'refused' }, expect.objectContaining({ outcome: 'done' })])
  })

  it('counts each request of a batch in its own class', async () => {
    const limited = await openTestService({ RATE_LIMIT_MAX: '5' })
    try {
      const someone = await limited.newcomer()
      const response = await someone.fetch('/api/batch', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ items: Array.from({ length: 7 }, () => ({ method: 'GET', path: '/api/identity/me' })) }),
      })
      const { items } = await response.json()
      expect(items.map((item: { status: number }) => item.status)).toEqual([200, 200, 200, 200, 200, 429, 429])
      expect(items[5].body.retryAfterSeconds).toBeGreaterThan(0)
    } finally {
      await limited.close()
    }
  })

  it.each(['/api/batch', '/api/%62atch', '/api/batch?x=1'])('holds no batch in a batch: %s', async (path) => {
    const { body } = await batch([
      { method: 'POST', path, body: { items: [{ method: 'GET', path: '/api/identity/me' }] } },
    ])
    expect(body.items[0].status).toBe(400)
  })

  it.each([
    ['no request', []],
    ['more than twenty', Array.from({ length: 21 }, () => ({ method: 'GET', path: '/api/identity/me' }))],
    ['another address', [{ method: 'GET', path: '/health/detailed' }]],
    ['another server', [{ method: 'GET', path: 'http://example.com/api/identity/me' }]],
    ['a header in the address', [{ method: 'GET', path: '/api/identity/me\r\nx: y' }]],
    ['another method', [{ method: 'TRACE', path: '/api/identity/me' }]],
    ['an unknown name', [{ method: 'GET', path: '/api/identity/me', atomic: true }]],
  ])('refuses a batch with %s', async (_, items) => {
    expect((await batch(items)).status).toBe(400)
  })
})
