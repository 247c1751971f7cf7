import { type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { type TOTP, URI } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const json = { 'content-type': 'application/json' }
const STEP_MS = 30_000

describe('an authenticator app', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${service.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: json })

  /** Somebody whose sign-in needs a code: with the app, the step of the code that was used, and the recovery codes. */
  async function enrolled() {
    const person = await service.newcomer()
    const { url } = await (await person.fetch('/api/identity/totp/enrol', { method: 'POST' })).json()
    const app = URI.parse(url) as TOTP
    const at = Date.now()
    const confirmed = await confirm(person, app.generate({ timestamp: at }))
    expect(confirmed.status).toBe(200)
    const { recoveryCodes } = (await confirmed.json()) as { recoveryCodes: string[] }
    return { person, app, at, recoveryCodes }
  }
  const confirm = (person: Newcomer, code: string): Promise<Response> =>
    person.fetch('/api/identity/totp/confirm', { method: 'POST', body: JSON.stringify({ code }), headers: json })
  async function ticketOf({ email, password }: Newcomer): Promise<string> {
    const response = await post('/api/identity/sign-in', { email, password })
    expect(response.status).toBe(202)
    expect(response.headers.get('set-cookie')).toBeNull()
    return ((await response.json()) as { ticket: string }).ticket
  }
  const enter = (ticket: string, code: string) => post('/api/identity/sign-in/code', { ticket, code })

  it('makes a sign-in need a code of it, once each', async () => {
    const { person, app, at } = await enrolled()
    const next = app.generate({ timestamp: at + STEP_MS })
    const used = await enter(await ticketOf(person), app.generate({ timestamp: at }))
    expect(await used.json()).toMatchObject({ status: 401, code: 'wrong_code' })
    const signedIn = await enter(await ticketOf(person), next)
    expect(signedIn.status).toBe(200)
    expect(signedIn.headers.get('set-cookie')).toContain('HttpOnly')
    expect((await enter(await ticketOf(person), next)).status).toBe(401)
  })

  it('takes the same code of two requests at once for one of them', async () => {
    const { person, app, at } = await enrolled()
    const code = app.generate({ timestamp: at + STEP_MS })
    const tickets: string[] = []
    for (let i = 0; i < 5; i++) tickets.push(await ticketOf(person))
    const statuses = await Promise.all(tickets.map(async (ticket) => (await enter(ticket, code)).status))
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  })

  it('is no help to whoever guesses: five wrong codes for a person, in however many sign-ins', async () => {
    const { person, app, at, recoveryCodes } = await enrolled()
    const ticket = await ticketOf(person)
    for (let i = 0; i < 5; i++) expect((await enter(ticket, '000000')).status).toBe(401)
    expect(await (await enter(ticket, '000000')).json()).toMatchObject({ code: 'challenge_expired' })
    const refused = await enter(await ticketOf(person), app.generate({ timestamp: at + STEP_MS }))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await enter(await ticketOf(person), recoveryCodes[0] ?? '')).status).toBe(200)
  })

  it('takes five recovery codes for a sign-in, right or wrong', async () => {
    const { person, recoveryCodes } = await enrolled()
    const ticket = await ticketOf(person)
    for (let i = 0; i < 5; i++) expect((await enter(ticket, 'WRONG-WRONG-WRONG-WRONG-WRONG')).status).toBe(401)
    expect(await (await enter(ticket, recoveryCodes[0] ?? '')).json()).toMatchObject({ code: 'challenge_expired' })
  })

  it('may be lost: each recovery code signs in once, and then the app is removed', async () => {
    const { person, recoveryCodes } = await enrolled()
    expect(new Set(recoveryCodes).size).toBe(10)
    const code = (recoveryCodes[0] ?? '').toLowerCase()
    const signedIn = await enter(await ticketOf(person), code)
    expect(signedIn.status).toBe(200)
    expect((await enter(await ticketOf(person), code)).status).toBe(401)
    const { accessToken } = (await signedIn.json()) as { accessToken: string }
    const headers = { authorization: `Bearer ${accessToken}` }
    const state = await (await fetch(`${service.url}/api/identity/totp`, { headers })).json()
    expect(state).toEqual({ totp: true, recoveryCodes: 9 })
    const removed = await fetch(`${service.url}/api/identity/totp`, { method: 'DELETE', headers })
    expect(removed.status).toBe(204)
    const { email, password } = person
    expect((await post('/api/identity/sign-in', { email, password })).status).toBe(200)
  })

  it('lets nobody in who is being blocked at that moment', async () => {
    const { person, app, at } = await enrolled()
    const ticket = await ticketOf(person)
    const { admin } = service.test
    await admin.query('begin')
    await admin.query('update seaworthy.users set blocked_at = now() where email = $1', [person.email])
    const entering = enter(ticket, app.generate({ timestamp: at + STEP_MS }))
    const waits = until('the sign-in waits for the block', async () => {
      const { rows } = await admin.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows.length > 0
    })
    await Promise.race([waits, entering])
    await admin.query('commit')
    expect((await entering).status).toBe(403)
  })

  it('does not count before its first right code', async () => {
    const person = await service.newcomer()
    await person.fetch('/api/identity/totp/enrol', { method: 'POST' })
    expect((await confirm(person, '000000')).status).toBe(401)
    const { email, password } = person
    expect((await post('/api/identity/sign-in', { email, password })).status).toBe(200)
  })

  it('cannot be replaced by another while it is set up', async () => {
    const { person, app, at } = await enrolled()
    const signedIn = await enter(await ticketOf(person), app.generate({ timestamp: at + STEP_MS }))
    const { accessToken } = (await signedIn.json()) as { accessToken: string }
    const headers = { authorization: `Bearer ${accessToken}` }
    const again = await fetch(`${service.url}/api/identity/totp/enrol`, { method: 'POST', headers })
    expect(again.status).toBe(409)
  })

  it('is asked for before everything else, where the installation wants it of everyone', async () => {
    const strict = await openTestService({ REQUIRE_SECOND_FACTOR: 'everyone' })
    try {
      const person = await strict.newcomer()
      const refused = await person.fetch('/api/cosnap/photos')
      expect(await refused.json()).toMatchObject({ status: 403, code: 'second_factor_required' })
      const enrolment = await (await person.fetch('/api/identity/totp/enrol', { method: 'POST' })).json()
      const code = (URI.parse(enrolment.url) as TOTP).generate()
      expect((await confirm(person, code)).status).toBe(200)
      // The token from before says nothing of it; the next one does.
      expect(await (await person.fetch('/api/cosnap/photos')).json()).toMatchObject({ code: 'token_expired' })
    } finally {
      await strict.close()
    }
  })

  it('leaves neither its secret nor the recovery codes in the database', async () => {
    const { app, recoveryCodes } = await enrolled()
    const { rows } = await service.test.admin.query(
      'select t::text as row from seaworthy.totp t union all select c::text from seaworthy.recovery_codes c',
    )
    const dump = rows.map(({ row }) => row).join('\n')
    const hex = Buffer.from(app.secret.buffer).toString('hex')
    for (const hidden of [
      app.secret.base32,
      hex,
      ...recoveryCodes,
      ...recoveryCodes.map((code) => code.replaceAll('-', '')),
    ])
      expect(dump).not.toContain(hidden)
  })
})
