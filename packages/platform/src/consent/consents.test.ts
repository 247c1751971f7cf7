import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountId, type Caller, newId, type UserId } from '@seaworthy/core'
import { type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { consent, defineApp, hasConsent, noBody, rate, requireConsent, route, sql } from '../definition/index.ts'
import { giveConsent, readDecisions } from './index.ts'

const outsideReading = consent({
  name: 'notes.outside-reading',
  version: 2,
  title: 'Read notes elsewhere',
  text: 'Your notes are sent to Example Reading, which forgets them at once.',
  data: ['notes'],
  recipient: 'Example Reading',
})
const training = consent({
  name: 'notes.training',
  version: 1,
  title: 'Learn from notes',
  text: 'Your notes make suggestions better for everybody here.',
  data: ['notes', 'corrections'],
})
const earlier = consent({ ...outsideReading, version: 1, text: 'Earlier words.' })

const read = route({
  name: 'notes.read',
  method: 'POST',
  path: '/read',
  summary: 'Have notes read elsewhere',
  auth: 'viewer',
  limit: rate('notes.read', 100, 60_000, { setting: 'rateMax' }),
  body: noBody,
  reply: { 200: z.object({ sent: z.boolean() }) },
  errors: ['consent_required'],
  audit: 'notes_read',
  handle: async ({ tx, caller }) => {
    await requireConsent(tx, caller, outsideReading)
    return { status: 200, body: { sent: true } }
  },
})
const notes = defineApp({ name: 'notes', title: 'Notes', routes: [read], consents: [outsideReading, training] })

const path = '/api/privacy/consents/{purpose}'
const outside = { params: { path: { purpose: outsideReading.name } } }

describe('consents', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService({}, { apps: [notes] })
  })
  afterAll(() => service.close())

  const give = (person: Newcomer, version = 2) => person.api.http.PUT(path, { ...outside, body: { version } })
  const withdraw = (person: Newcomer) => person.api.http.DELETE(path, outside)
  const list = async (person: Newcomer) => (await person.api.http.GET('/api/privacy/consents')).data?.items ?? []
  const history = async (person: Newcomer, query = {}) =>
    (await person.api.http.GET('/api/privacy/consents/history', { params: { query } })).data
  const sendNotes = async (person: Newcomer) => {
    const response = await person.fetch('/api/notes/read', { method: 'POST' })
    return { status: response.status, problem: await response.json() }
  }
  const callerOf = async (person: Newcomer): Promise<Caller> => {
    const { id } = await (await person.fetch('/api/identity/me')).json()
    return { userId: id as UserId, accountId: person.accountId as AccountId } as Caller
  }
  const inAccount = <T>(caller: Caller, work: Parameters<typeof service.test.database.withCaller<T>>[1]) =>
    service.test.database.withCaller(caller, work)
  const origin = { how: 'program', requestId: 'test' } as const

  it('are none until somebody agrees: what needs one is refused with the purpose to ask for', async () => {
    const person = await service.newcomer()
    expect(await list(person)).toEqual([
      {
        purpose: 'notes.outside-reading',
        title: 'Read notes elsewhere',
        text: 'Your notes are sent to Example Reading, which forgets them at once.',
        version: 2,
        data: ['notes'],
        recipient: 'Example Reading',
        given: false,
        decision: null,
      },
      expect.objectContaining({ purpose: 'notes.training', recipient: null, given: false, decision: null }),
    ])
    const refused = await sendNotes(person)
    expect(refused).toMatchObject({ status: 403, problem: { code: 'consent_required' } })
    expect(refused.problem.fields).toEqual([{ path: 'consent', message: 'notes.outside-reading' }])
  })

  it('open what they are about and nothing else, until they are taken back', async () => {
    const [person, stranger] = [await service.newcomer(), await service.newcomer()]
    expect((await give(person)).response.status).toBe(204)
    expect((await sendNotes(person)).status).toBe(200)
    expect((await sendNotes(stranger)).status).toBe(403)
    expect(await list(person)).toMatchObject([
      { given: true, decision: { given: true, version: 2, byYou: true } },
      { given: false },
    ])
    expect((await withdraw(person)).response.status).toBe(204)
    expect((await sendNotes(person)).status).toBe(403)
    expect(await list(person)).toMatchObject([{ given: false, decision: { given: false } }, { given: false }])
  })

  it('are for the words that were read: other words are refused, and earlier ones do not count', async () => {
    const person = await service.newcomer()
    for (const version of [1, 3]) {
      const refused = await person.fetch('/api/privacy/consents/notes.outside-reading', {
        method: 'PUT',
        body: JSON.stringify({ version }),
        headers: { 'content-type': 'application/json' },
      })
      expect([refused.status, (await refused.json()).code]).toEqual([409, 'conflict'])
    }
    const caller = await callerOf(person)
    await inAccount(caller, (tx) => giveConsent(tx, caller, earlier, 1, origin))
    expect(await inAccount(caller, (tx) => hasConsent(tx, caller, earlier))).toBe(true)
    expect((await sendNotes(person)).status).toBe(403)
    expect(await list(person)).toMatchObject([{ given: false, decision: { given: true, version: 1 } }, {}])
    await give(person)
    expect((await sendNotes(person)).status).toBe(200)
  })

  it('leave one line for each decision, newest first, with the words, the way and the person', async () => {
    const person = await service.newcomer()
    await give(person)
    await give(person)
    await withdraw(person)
    await withdraw(person)
    await person.fetch('/api/privacy/consents/notes.outside-reading', {
      method: 'PUT',
      body: '{"version":2}',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    })
    const first = await history(person, { limit: 2 })
    expect(first?.items).toMatchObject([
      {
        purpose: 'notes.outside-reading',
        given: true,
        version: 2,
        how: 'page',
        byYou: true,
        text: outsideReading.text,
      },
      { given: false, how: 'program' },
    ])
    const rest = await history(person, { limit: 2, cursor: first?.next })
    expect(rest).toMatchObject({ items: [{ given: true, how: 'program' }], next: null })
    const audit = await (await person.fetch('/api/audit')).json()
    const lines = audit.items.filter(({ action }: { action: string }) => /^consent_/.test(action))
    expect(lines.map(({ action }: { action: string }) => action)).toEqual([
      'consent_give',
      'consent_withdraw',
      'consent_withdraw',
      'consent_give',
      'consent_give',
    ])
    expect(lines[0]).toMatchObject({ resource: 'notes.outside-reading', details: { version: 2 } })
  })

  it('keep one decision when many agree at the same moment', async () => {
    const person = await service.newcomer()
    await Promise.all(Array.from({ length: 8 }, () => give(person)))
    expect((await history(person))?.items).toHaveLength(1)
  })

  it('know only purposes that were declared, and take back only what was decided', async () => {
    const person = await service.newcomer()
    const ask = (method: string, purpose: string, body?: string) =>
      person.fetch(`/api/privacy/consents/${purpose}`, {
        method,
        ...(body ? { body, headers: { 'content-type': 'application/json' } } : {}),
      })
    expect((await ask('PUT', 'notes.selling', '{"version":1}')).status).toBe(404)
    expect((await ask('PUT', 'every%20thing', '{"version":1}')).status).toBe(400)
    expect((await ask('DELETE', 'notes.training')).status).toBe(404)
  })

  it('can be taken back after the release that asked for them is gone', async () => {
    const person = await service.newcomer()
    const caller = await callerOf(person)
    const gone = consent({ ...training, name: 'notes.gone' })
    await inAccount(caller, (tx) => giveConsent(tx, caller, gone, 1, origin))
    expect((await person.fetch('/api/privacy/consents/notes.gone', { method: 'DELETE' })).status).toBe(204)
    expect(await inAccount(caller, (tx) => hasConsent(tx, caller, gone))).toBe(false)
  })

  it('cannot be changed, removed, or written in the name of others, whatever the code believes', async () => {
    const [person, other] = [await service.newcomer(), await service.newcomer()]
    await give(person)
    const [caller, stranger] = [await callerOf(person), await callerOf(other)]
    const attempts = [
      sql`update seaworthy.consents set given = false`,
      sql`delete from seaworthy.consents`,
      ...[
        { accountId: stranger.accountId, userId: caller.userId },
        { accountId: caller.accountId, userId: stranger.userId },
      ].map(
        (
          owner,
        ) => sql`insert into seaworthy.consents (id, account_id, user_id, purpose, version, text, given, how, request_id)
          values (${newId()}, ${owner.accountId}, ${owner.userId}, 'notes.training', 1, 'x', true, 'page', 'x')`,
      ),
    ]
    for (const attempt of attempts) await expect(inAccount(caller, (tx) => tx.run(attempt))).rejects.toThrow()
    expect(await inAccount(stranger, (tx) => readDecisions(tx, caller, 10))).toEqual([])
    expect(await inAccount(stranger, (tx) => hasConsent(tx, caller, outsideReading))).toBe(false)
  })

  it('are an admin’s to give, and a viewer’s to read', async () => {
    const person = await service.newcomer()
    await give(person)
    await service.test.admin.query(`update seaworthy.memberships set role = 'member' where account_id = $1`, [
      person.accountId,
    ])
    const signedIn = await fetch(`${service.url}/api/identity/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ email: person.email, password: person.password }),
      headers: { 'content-type': 'application/json' },
    })
    const { accessToken } = await signedIn.json()
    const ask = (method: string) =>
      fetch(`${service.url}/api/privacy/consents${method === 'GET' ? '' : '/notes.outside-reading'}`, {
        method,
        headers: { authorization: `Bearer ${accessToken}` },
      })
    expect((await ask('DELETE')).status).toBe(403)
    expect((await (await ask('GET')).json()).items[0]).toMatchObject({ given: true })
  })

  it('are in the export of the person, and go with the account', async () => {
    const person = await service.newcomer()
    await give(person)
    await withdraw(person)
    const lines = await exported(person)
    expect(lines).toMatchObject([
      { purpose: 'notes.outside-reading', given: true, version: 2, text: outsideReading.text, byYou: true },
      { purpose: 'notes.outside-reading', given: false },
    ])
    await erase(person)
    const { rows } = await service.test.admin.query('select 1 from seaworthy.consents where account_id = $1', [
      person.accountId,
    ])
    expect(rows).toEqual([])
  })

  it('that a person gave for others stay, as nobody’s', async () => {
    const [person, owner] = [await service.newcomer(), await service.newcomer()]
    const caller = { ...(await callerOf(person)), accountId: owner.accountId as AccountId }
    await service.test.admin.query('update seaworthy.accounts set personal_user_id = null where id = $1', [
      owner.accountId,
    ])
    await service.test.admin.query(
      `insert into seaworthy.memberships (account_id, user_id, role) values ($1, $2, 'admin')`,
      [owner.accountId, caller.userId],
    )
    await inAccount(caller, (tx) => giveConsent(tx, caller, outsideReading, 2, origin))
    expect(await exported(person)).toMatchObject([{ accountId: owner.accountId, byYou: true }])
    await erase(person)
    expect((await history(owner))?.items).toMatchObject([{ given: true, byYou: false }])
    const { rows } = await service.test.admin.query('select user_id from seaworthy.consents where account_id = $1', [
      owner.accountId,
    ])
    expect(rows).toEqual([{ user_id: null }])
    expect((await sendNotes(owner)).status).toBe(200)
  })

  const post = (person: Newcomer, to: string, body: object) =>
    person.fetch(to, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const erase = async (person: Newcomer): Promise<void> => {
    const answer = await post(person, '/api/privacy/erase', { password: person.password, confirm: 'erase everything' })
    expect(answer.status).toBe(204)
  }
  async function exported(person: Newcomer): Promise<unknown[]> {
    const answer = await post(person, '/api/privacy/export', { password: person.password })
    const directory = mkdtempSync(join(tmpdir(), 'seaworthy-consents-'))
    try {
      writeFileSync(join(directory, 'all.zip'), Buffer.from(await answer.arrayBuffer()))
      execFileSync('python3', ['-m', 'zipfile', '-e', join(directory, 'all.zip'), directory])
      return readFileSync(join(directory, 'data', 'consents.jsonl'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
})

describe('an app', () => {
  it.each([
    ['a name without its app', { name: 'reading' }, /has a name such as/],
    ['a version that is no whole number', { version: 1.5 }, /whole number/],
    ['no words', { text: '' }, /1 to 4000 characters/],
  ])('cannot declare a consent with %s', (_, wrong, message) => {
    expect(() => consent({ ...training, ...wrong })).toThrow(message)
  })

  it('cannot declare a consent of another app, or one twice', () => {
    const define = (...consents: (typeof training)[]) =>
      defineApp({ name: 'notes', title: 'Notes', routes: [], consents })
    expect(() => define(consent({ ...training, name: 'other.training' }))).toThrow(
      'must start with the name of its app',
    )
    expect(() => define(training, training)).toThrow('is used twice')
  })
})
