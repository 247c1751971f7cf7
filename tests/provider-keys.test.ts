import { newId, Secret } from '@seaworthy/core'
import { readProviderKey } from '@seaworthy/platform/vault'
import { type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const path = '/api/vault/provider-keys'
const secret = 'sk-a-key-of-nobody-1234'

describe("providers' keys", () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const put = (person: Newcomer, name: string, value = secret): Promise<Response> =>
    person.fetch(path, {
      method: 'PUT',
      body: JSON.stringify({ name, secret: value }),
      headers: { 'content-type': 'application/json' },
    })
  const list = async (person: Newcomer) => (await (await person.fetch(path)).json()).items
  const auditOf = async ({ accountId }: Newcomer) =>
    (await service.test.admin.query('select action, resource from seaworthy.audit where account_id = $1', [accountId]))
      .rows

  it('shows a key by its name and last four characters, and never again as a whole', async () => {
    const person = await service.newcomer()
    const kept = await put(person, 'openai')
    expect(kept.status).toBe(200)
    const answers = (await kept.text()) + JSON.stringify(await list(person))
    expect(answers).not.toContain(secret.slice(0, -4))
    expect(await list(person)).toMatchObject([{ name: 'openai', lastFour: '1234' }])
    expect(service.log.join('')).not.toContain(secret)
  })

  it('replaces the key of a name, and is audited without it', async () => {
    const person = await service.newcomer()
    const { id } = await (await put(person, 'openai')).json()
    expect(await (await put(person, 'openai', 'sk-another-one-of-nobody-5678')).json()).toMatchObject({
      id,
      lastFour: '5678',
    })
    expect(await list(person)).toHaveLength(1)
    const audit = await auditOf(person)
    expect(audit.filter((line) => line.action === 'provider_key_put')).toMatchObject([
      { resource: id },
      { resource: id },
    ])
    expect(JSON.stringify(audit)).not.toContain('sk-')
  })

  it('gives a job of the account the key, and nobody else', async () => {
    const [person, stranger] = [await service.newcomer(), await service.newcomer()]
    await put(person, 'openai')
    const { vault, database } = service.capabilities
    const read = (who: Newcomer, name: string) => {
      const caller = { accountId: who.accountId as Parameters<typeof readProviderKey>[2]['accountId'] }
      return database.withCaller(caller, (tx) => readProviderKey(vault, tx, caller, name), { readOnly: true })
    }
    const found = await read(person, 'openai')
    expect(found).toBeInstanceOf(Secret)
    expect(found?.reveal()).toBe(secret)
    expect(await read(person, 'other')).toBeUndefined()
    expect(await read(stranger, 'openai')).toBeUndefined()
  })

  it('forgets a key, and only one of the own account', async () => {
    const [person, stranger] = [await service.newcomer(), await service.newcomer()]
    const { id } = await (await put(person, 'openai')).json()
    const remove = (who: Newcomer, which: string) => who.fetch(`${path}/${which}`, { method: 'DELETE' })
    expect((await remove(stranger, id)).status).toBe(404)
    expect((await remove(person, newId())).status).toBe(404)
    expect((await remove(person, id)).status).toBe(204)
    expect(await list(person)).toEqual([])
  })

  it('keeps fifty, and lets none of them be replaced by accident', async () => {
    const person = await service.newcomer()
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => put(person, `provider-${i}`)))
    expect(new Set(many.map((answer) => answer.status))).toEqual(new Set([200]))
    const refused = await put(person, 'one-more')
    expect([refused.status, (await refused.json()).code]).toEqual([413, 'quota_exceeded'])
    expect((await put(person, 'provider-7', 'sk-another-one-of-nobody-5678')).status).toBe(200)
  })

  it.each([
    ['too short', { name: 'openai', secret: 'short' }],
    ['with spaces', { name: 'openai', secret: 'a key with spaces in it' }],
    ['of an odd name', { name: 'Open AI', secret }],
    ['with more than there is', { name: 'openai', secret, role: 'owner' }],
  ])('refuses a key that is %s', async (_, body) => {
    const person = await service.newcomer()
    const response = await person.fetch(path, {
      method: 'PUT',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain(body.secret)
  })

  it('refuses whoever is not an admin of the account', async () => {
    const person = await service.newcomer()
    await service.test.admin.query(`update seaworthy.memberships set role = 'member' where account_id = $1`, [
      person.accountId,
    ])
    const signedIn = await fetch(`${service.url}/api/identity/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ email: person.email, password: person.password }),
      headers: { 'content-type': 'application/json' },
    })
    const { accessToken } = await signedIn.json()
    const as = { headers: { authorization: `Bearer ${accessToken}` } }
    expect((await fetch(`${service.url}${path}`, as)).status).toBe(403)
  })

  it('says that a key cannot be read when somebody changed it in the database', async () => {
    const person = await service.newcomer()
    const { id } = await (await put(person, 'openai')).json()
    await service.test.admin.query(
      `update seaworthy.provider_keys set secret = overlay(secret placing 'AAAA' from 30) where id = $1`,
      [id],
    )
    const response = await person.fetch(path)
    expect([response.status, (await response.json()).code]).toEqual([500, 'sealed_unreadable'])
  })
})
