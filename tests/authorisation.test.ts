import { newId, type Role, roles } from '@seaworthy/core'
import { type App, addressOf, type Route, scopeOf, scopesOf } from '@seaworthy/platform/definition'
import { jpegPhoto, type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allApps } from './all-apps.ts'

/** Generated from the definitions: who may call every route, and whose things it gives. A new route is tested by being defined. */
const apps: readonly App[] = allApps
const served = apps.flatMap((app) => app.routes.map((route) => ({ app, route, name: route.name })))
const missing = '01890000-0000-7000-8000-000000000000'

/** A caller as the route's definition sees one; the token is made when it is needed. */
interface Kind {
  readonly name: string
  readonly role?: Role
  readonly operator?: true
  readonly stale?: true
  /** An API key for these; `this` stands for what the route asks for. */
  readonly scopes?: 'this' | 'others'
}
const kinds: readonly Kind[] = [
  { name: 'nobody' },
  ...roles.map((role) => ({ name: role, role })),
  { name: 'an owner who signed in an hour ago', role: 'owner', stale: true },
  { name: 'an operator', role: 'owner', operator: true },
  { name: 'an operator who signed in an hour ago', role: 'owner', operator: true, stale: true },
  { name: "a key of an admin for this route's scope", role: 'admin', scopes: 'this' },
  { name: "a key of a viewer for this route's scope", role: 'viewer', scopes: 'this' },
  { name: 'a key of an admin for every other scope', role: 'admin', scopes: 'others' },
]

/** Written down a second time, on purpose, from what the definition says. */
function refusalOf(app: App, route: Route, kind: Kind): string | undefined {
  if (route.auth === 'public') return undefined
  if (!kind.role) return '401 unauthenticated'
  if (route.auth === 'operator' && !kind.operator) return '403 forbidden'
  if (route.auth !== 'operator' && roles.indexOf(kind.role) < roles.indexOf(route.auth)) return '403 forbidden'
  if (kind.scopes && (app.peopleOnly || kind.scopes === 'others')) return '403 forbidden'
  if (route.fresh && (kind.stale || kind.scopes)) return '403 reauthentication_required'
  return undefined
}
const isPhoto = ({ body }: Route): boolean => body !== undefined && 'kind' in body && body.kind === 'photo'
const isJson = ({ body }: Route): boolean => body !== undefined && !('kind' in body)

describe('authorisation', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const url = (app: App, route: Route, id: string): string =>
    `${service.url}${addressOf(app, route).replace(/\{[^}]+\}/g, id)}`

  async function send(app: App, route: Route, { token = '', id = missing, body = {} as unknown, query = '' } = {}) {
    const given = isJson(route)
      ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      : route.body && 'kind' in route.body && route.body.kind !== 'none'
        ? { body: 'x', headers: { 'content-type': 'application/octet-stream' } }
        : {}
    const response = await fetch(url(app, route, id) + query, {
      method: route.method,
      ...given,
      headers: {
        ...given.headers,
        'idempotency-key': `k-${Math.random()}`,
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
    })
    const text = await response.text()
    const { code = '' } = (text.startsWith('{') ? JSON.parse(text) : {}) as { code?: string }
    return `${response.status} ${code}`.trim()
  }

  /** Somebody with this role in an account that is not their own, or with a key of it. */
  async function tokenOf(kind: Kind, scope: string | undefined): Promise<string> {
    const person = await service.newcomer()
    const { admin } = service.test
    const account = newId()
    const { rows } = await admin.query('update seaworthy.users set operator = $2 where email = $1 returning id', [
      person.email,
      kind.operator ?? false,
    ])
    const user: unknown = rows[0].id
    await admin.query(`insert into seaworthy.accounts (id, name) values ($1, 'Office')`, [account])
    await admin.query('insert into seaworthy.memberships (account_id, user_id, role) values ($1, $2, $3)', [
      account,
      user,
      kind.scopes ? 'admin' : kind.role,
    ])
    if (kind.stale)
      await admin.query(
        `update seaworthy.sessions set authenticated_at = now() - interval '1 hour' where user_id = $1`,
        [user],
      )
    const switched = await person.fetch(`/api/identity/accounts/${account}/switch`, { method: 'POST' })
    const { accessToken } = (await switched.json()) as { accessToken: string }
    if (!kind.scopes) return accessToken
    const key = await makeKey(accessToken, kind.scopes, scope)
    // Made while they were an admin.
    await admin.query('update seaworthy.memberships set role = $2 where account_id = $1', [account, kind.role])
    return key
  }

  async function makeKey(token: string, which: 'this' | 'others', scope: string | undefined): Promise<string> {
    const scopes = scopesOf(apps).filter((one) => scope === undefined || (one === scope) === (which === 'this'))
    const made = await fetch(`${service.url}/api/identity/api-keys`, {
      method: 'POST',
      body: JSON.stringify({ name: 'matrix', role: 'admin', scopes }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    const { key } = (await made.json()) as { key: string }
    return key
  }

  const kept = new Map<string, string>()
  async function callerFor(kind: Kind, app: App, route: Route): Promise<string> {
    if (!kind.role) return ''
    const scope = scopeOf(app, route)
    const name = `${kind.name} ${kind.scopes ? scope : ''}`
    const token = kept.get(name) ?? (await tokenOf(kind, scope))
    kept.set(name, token)
    return token
  }

  it.each(served)(
    '$name lets through exactly whom its definition names',
    { timeout: 120_000 },
    async ({ app, route }) => {
      for (const kind of kinds) {
        // Whoever is let through is then told that this question is not known: so nothing has an effect.
        const answer = await send(app, route, { token: await callerFor(kind, app, route), query: '?surprise=1' })
        const passed = isPhoto(route) ? '422 unusable_image' : '400 invalid_input'
        expect(answer, kind.name).toBe(refusalOf(app, route, kind) ?? passed)
      }
    },
  )

  /** Things of somebody, by what they are. No worker runs: what is queued stays so. */
  async function thingsOf(person: Newcomer): Promise<readonly string[]> {
    const json = (body: unknown, more: Record<string, string> = {}): RequestInit => ({
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...more },
    })
    const made = async (path: string, init: RequestInit): Promise<Record<string, string>> => {
      const response = await person.fetch(path, init)
      expect(response.ok, path).toBe(true)
      return (await response.json()) as Record<string, string>
    }
    const photo = await made('/api/cosnap/photos', { method: 'POST', body: await jpegPhoto(64, 48) })
    const run = await made(
      '/api/cosnap/runs',
      json({ photoId: photo.id, effect: 'noir', strength: 50 }, { 'idempotency-key': newId() }),
    )
    const upload = await made('/api/uploads', json({ bytes: 1 }))
    const key = await made('/api/identity/api-keys', json({ name: 'k', role: 'viewer', scopes: ['cosnap:read'] }))
    const stored = await made('/api/vault/provider-keys', {
      ...json({ name: 'openai', secret: 'a-secret-of-a-provider-that-is-long' }),
      method: 'PUT',
    })
    const other = await inviteSomebody(person.accountId)
    const { rows } = await service.test.admin.query(
      'select s.id, s.user_id from seaworthy.sessions s where s.account_id = $1',
      [person.accountId],
    )
    return [photo.id, run.id, run.jobId, upload.id, key.id, stored.id, ...other, person.accountId, rows[0].id].map(
      String,
    )
  }

  /** A member beside the owner, and an open invitation, of what is made a shared account for it. */
  async function inviteSomebody(account: string): Promise<readonly string[]> {
    const { admin } = service.test
    const { userId } = await service.test.makeAccount()
    const invitation = newId()
    await admin.query('update seaworthy.accounts set personal_user_id = null where id = $1', [account])
    await admin.query(`insert into seaworthy.memberships (account_id, user_id, role) values ($1, $2, 'viewer')`, [
      account,
      userId,
    ])
    await admin.query(
      `insert into seaworthy.invitations (id, account_id, email, role, token_hash, expires_at)
       values ($1, $2, 'somebody@example.com', 'viewer', decode(md5(random()::text), 'hex'), now() + interval '1 day')`,
      [invitation, account],
    )
    return [userId, invitation]
  }

  const bodies: Readonly<Record<string, unknown>> = {
    'identity.accounts.rename': { name: 'Mine now' },
    'identity.members.change': { role: 'viewer' },
  }

  const queries: Readonly<Record<string, string>> = { 'uploads.append': '?offset=0' }

  // A purpose is a name that the release declares, and nobody's.
  const isOfSomebody = ({ path, auth }: Route): boolean =>
    path.replace('{purpose}', '').includes('{') && auth !== 'public' && auth !== 'operator'
  it.each(served.filter(({ route }) => isOfSomebody(route)))(
    '$name gives somebody their own things, and the things of others look as if they did not exist',
    { timeout: 120_000 },
    async ({ app, route, name }) => {
      if (isJson(route)) expect(bodies, `a body for ${name} that is right`).toHaveProperty([name])
      const [mine, stranger] = [await service.newcomer(), await service.newcomer()]
      const things = await thingsOf(mine)
      const ask = ({ token }: Newcomer, id: string) =>
        send(app, route, { token, id, body: bodies[name], query: queries[name] ?? '' })
      expect(await ask(stranger, missing)).toBe('404 not_found')
      for (const id of things) expect(await ask(stranger, id), id).toBe('404 not_found')
      let own = ''
      for (const id of things) {
        own = await ask(mine, id)
        if (!own.startsWith('404')) break
      }
      expect(own).toMatch(/^(2|400|409|422)/)
    },
  )
})
