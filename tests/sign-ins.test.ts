import { type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const json = { 'content-type': 'application/json' }

describe('sign-ins', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { ...json, ...headers } })

  /** The same person on another device. */
  async function signInAgain({ email, password }: Newcomer) {
    const response = await post('/api/identity/sign-in', { email, password }, { 'user-agent': 'Another Browser' })
    const { accessToken } = (await response.json()) as { accessToken: string }
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
    const get = (path: string) =>
      fetch(`${service.url}${path}`, { headers: { authorization: `Bearer ${accessToken}` } })
    return { accessToken, cookie, get }
  }
  const sessionsOf = async (person: Newcomer) => {
    const { items } = (await (await person.fetch('/api/identity/sessions')).json()) as {
      items: { id: string; device: string; current: boolean }[]
    }
    return items
  }

  it('are listed for their owner, who ends one: its token dies at once and its cookie with it', async () => {
    const person = await service.newcomer()
    const other = await signInAgain(person)
    const listed = await sessionsOf(person)
    expect(listed.map(({ current }) => current).sort()).toEqual([false, true])
    const stolen = listed.find(({ device }) => device === 'Another Browser')
    const ended = await person.fetch(`/api/identity/sessions/${stolen?.id}`, { method: 'DELETE' })
    expect(ended.status).toBe(204)
    expect((await other.get('/api/identity/me')).status).toBe(401)
    expect((await post('/api/identity/refresh', {}, { cookie: other.cookie })).status).toBe(401)
    expect(await sessionsOf(person)).toHaveLength(1)
  })

  it('cannot be ended by somebody else, and look as if they did not exist', async () => {
    const [person, stranger] = [await service.newcomer(), await service.newcomer()]
    const [session] = await sessionsOf(person)
    const refused = await stranger.fetch(`/api/identity/sessions/${session?.id}`, { method: 'DELETE' })
    expect(refused.status).toBe(404)
    expect((await person.fetch('/api/identity/me')).status).toBe(200)
  })

  it('end everywhere else at once, and not here', async () => {
    const person = await service.newcomer()
    const others = [await signInAgain(person), await signInAgain(person)]
    const answer = await person.fetch('/api/identity/sessions/end-others', { method: 'POST' })
    expect(await answer.json()).toEqual({ ended: 2 })
    for (const other of others) expect((await other.get('/api/identity/me')).status).toBe(401)
    expect((await person.fetch('/api/identity/me')).status).toBe(200)
  })

  it('of anybody are ended by an operator', async () => {
    const operator = await service.operator()
    const person = await service.newcomer()
    const found = await operator.fetch(`/api/operations/people?email=${encodeURIComponent(person.email)}`)
    const { items } = (await found.json()) as { items: { id: string; sessions: number }[] }
    expect(items).toMatchObject([{ email: person.email, sessions: 1 }])
    const ended = await operator.fetch(`/api/operations/people/${items[0]?.id}/end-sessions`, { method: 'POST' })
    expect(ended.status).toBe(204)
    expect((await person.fetch('/api/identity/me')).status).toBe(401)

    const { email, password } = person
    const setBlocked = (blocked: boolean) =>
      operator.fetch(`/api/operations/people/${items[0]?.id}/block`, {
        method: 'PUT',
        body: JSON.stringify({ blocked }),
        headers: json,
      })
    expect((await setBlocked(true)).status).toBe(204)
    const refused = await post('/api/identity/sign-in', { email, password })
    expect(await refused.json()).toMatchObject({ status: 403, code: 'blocked' })
    expect((await setBlocked(false)).status).toBe(204)
    expect((await post('/api/identity/sign-in', { email, password })).status).toBe(200)
  })

  it('are fifty at most: the one that was unused for longest ends when another begins', async () => {
    const person = await service.newcomer()
    await service.test.admin.query(
      `insert into seaworthy.sessions (id, user_id, account_id, refresh_hash, expires_at, network, device, rotated_at)
       select gen_random_uuid(), user_id, account_id, refresh_hash, expires_at, network, 'Old ' || n, now() - n * interval '1 hour'
       from seaworthy.sessions, generate_series(1, 49) n where user_id = (select id from seaworthy.users where email = $1)`,
      [person.email],
    )
    await signInAgain(person)
    const devices = (await sessionsOf(person)).map(({ device }) => device)
    expect(devices).toHaveLength(50)
    expect(devices).not.toContain('Old 49')
  })

  it('do not outlive thirty days, however much they are used', async () => {
    const person = await service.newcomer()
    const other = await signInAgain(person)
    await service.test.admin.query(
      `update seaworthy.sessions set created_at = now() - interval '30 days' where device = 'Another Browser' and user_id =
        (select id from seaworthy.users where email = $1)`,
      [person.email],
    )
    const last = await post('/api/identity/refresh', {}, { cookie: other.cookie })
    expect(last.status).toBe(200)
    const cookie = last.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await post('/api/identity/refresh', {}, { cookie })).status).toBe(401)
  })

  it('must be confirmed with the password before a sensitive change when they are older than a quarter of an hour', async () => {
    const person = await service.newcomer()
    const other = await signInAgain(person)
    await service.test.admin.query(
      `update seaworthy.sessions set authenticated_at = now() - interval '16 minutes' where user_id = (select id from seaworthy.users where email = $1)`,
      [person.email],
    )
    const renewed = (await (await post('/api/identity/refresh', {}, { cookie: other.cookie })).json()) as {
      accessToken: string
    }
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const wanted = { name: 'Backup', role: 'viewer', scopes: ['cosnap:read'] }
    const refused = await post('/api/identity/api-keys', wanted, bearer(renewed.accessToken))
    expect(await refused.json()).toMatchObject({ status: 403, code: 'reauthentication_required' })
    const guess = await post('/api/identity/confirm', { password: 'a guess' }, bearer(renewed.accessToken))
    expect(guess.status).toBe(401)
    const confirmed = await post('/api/identity/confirm', { password: person.password }, bearer(renewed.accessToken))
    const { accessToken } = (await confirmed.json()) as { accessToken: string }
    expect((await post('/api/identity/api-keys', wanted, bearer(accessToken))).status).toBe(201)
    // The sign-in goes on as a new one: what the old one had opens nothing.
    expect(
      (await post('/api/identity/confirm', { password: person.password }, bearer(renewed.accessToken))).status,
    ).toBe(401)
    expect((await post('/api/identity/refresh', {}, { cookie: other.cookie })).status).toBe(401)
    const cookie = confirmed.headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await post('/api/identity/refresh', {}, { cookie })).status).toBe(200)
  })

  it('give tokens that anybody can verify with our public keys', async () => {
    const person = await service.newcomer()
    const response = await fetch(`${service.url}/.well-known/jwks.json`)
    const verified = await jwtVerify(person.token, createLocalJWKSet(await response.json()), { issuer: 'seaworthy' })
    expect(verified.payload.acc).toBe(person.accountId)
  })

  describe('API keys', () => {
    const make = async (person: Newcomer, wanted: object): Promise<{ id: string; key: string }> => {
      const body = JSON.stringify({ name: 'Script', role: 'member', scopes: ['cosnap:read'], ...wanted })
      const response = await person.fetch('/api/identity/api-keys', { method: 'POST', body, headers: json })
      expect(response.status).toBe(201)
      return (await response.json()) as { id: string; key: string }
    }
    const call = (key: string, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${service.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } })

    it('do what they were made for in their account, and nothing else', async () => {
      const person = await service.newcomer()
      const { key } = await make(person, {})
      expect((await call(key, '/api/cosnap/photos')).status).toBe(200)
      const written = await call(key, '/api/cosnap/photos', { method: 'POST', body: 'x' })
      expect(await written.json()).toMatchObject({ status: 403, detail: expect.stringContaining('cosnap:write') })
      for (const path of ['/api/identity/me', '/api/identity/api-keys', '/api/operations/jobs/dead'])
        expect((await call(key, path)).status, path).toBe(403)
    })

    it('are shown once and kept as a hash', async () => {
      const person = await service.newcomer()
      const { id, key } = await make(person, {})
      const listed = await (await person.fetch('/api/identity/api-keys')).text()
      expect(listed).toContain(id)
      expect(listed).not.toContain(key.slice(20))
      const { rows } = await service.test.admin.query('select k::text as row from seaworthy.api_keys k')
      for (const { row } of rows) expect(row).not.toContain(key.slice(20))
    })

    it('end when they are revoked, also where they were seen before', async () => {
      const person = await service.newcomer()
      const { id, key } = await make(person, {})
      expect((await call(key, '/api/cosnap/photos')).status).toBe(200)
      expect((await person.fetch(`/api/identity/api-keys/${id}`, { method: 'DELETE' })).status).toBe(204)
      await until('the key is refused', async () => (await call(key, '/api/cosnap/photos')).status === 401)
    })

    it('end on their day', async () => {
      const person = await service.newcomer()
      const { id, key } = await make(person, { days: 1 })
      await service.test.admin.query(`update seaworthy.api_keys set expires_at = now() where id = $1`, [id])
      expect((await call(key, '/api/cosnap/photos')).status).toBe(401)
    })

    it('with a typing mistake, or of nobody, are refused without asking the database', async () => {
      const person = await service.newcomer()
      const { key } = await make(person, {})
      const last = key.endsWith('0') ? '1' : '0'
      for (const wrong of [key.slice(0, -1) + last, `${key}0`, 'swk_', `swk_${'0'.repeat(104)}`])
        expect((await call(wrong, '/api/cosnap/photos')).status, wrong).toBe(401)
    })

    it('cannot be made for what there is not, or to do more than their maker', async () => {
      const person = await service.newcomer()
      const body = JSON.stringify({ name: 'Odd', role: 'owner', scopes: ['cosnap:read'] })
      const asOwner = await person.fetch('/api/identity/api-keys', { method: 'POST', body, headers: json })
      expect(asOwner.status).toBe(400)
      const unknown = JSON.stringify({ name: 'Odd', role: 'viewer', scopes: ['identity:write'] })
      const scoped = await person.fetch('/api/identity/api-keys', { method: 'POST', body: unknown, headers: json })
      expect(await scoped.json()).toMatchObject({ status: 400, detail: expect.stringContaining('cosnap:read') })
    })
  })
})
