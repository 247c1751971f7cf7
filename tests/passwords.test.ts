import { type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { type TOTP, URI } from 'otpauth'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const json = { 'content-type': 'application/json' }
const fresh = 'a quiet harbour in autumn'

interface Letter {
  readonly recipient: string
  readonly subject: string
  readonly body: { readonly paragraphs: readonly string[]; readonly action?: { readonly url: string } }
}

describe('mail about an account', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${service.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: json })
  const postAs = (person: Newcomer, path: string, body?: unknown): Promise<Response> =>
    person.fetch(path, { method: 'POST', ...(body ? { body: JSON.stringify(body), headers: json } : {}) })
  const statusAndCode = async (response: Response): Promise<string> => {
    const text = await response.text()
    return `${response.status} ${text ? ((JSON.parse(text) as { code?: string }).code ?? '') : ''}`.trim()
  }
  /** What somebody was sent, the newest first. */
  async function lettersTo(email: string): Promise<readonly Letter[]> {
    const { rows } = await service.test.admin.query(
      'select recipient, subject, body from seaworthy.mail where lower(recipient) = lower($1) order by id desc',
      [email],
    )
    return rows
  }
  const letterTo = (email: string, about: string): Promise<Letter> =>
    until(`a letter about ${about}`, async () =>
      (await lettersTo(email)).find(({ subject }) => subject.includes(about)),
    )
  const tokenIn = ({ body }: Letter): string => body.action?.url.split('#token=')[1] ?? ''
  const signIn = (email: string, password: string) => post('/api/identity/sign-in', { email, password })
  const forgot = (email: string) => post('/api/identity/password/forgot', { email })
  const reset = (token: string, password = fresh) => post('/api/identity/password/reset', { token, password })
  async function resetTokenOf({ email }: Newcomer): Promise<string> {
    const before = (await lettersTo(email)).filter(({ subject }) => subject.startsWith('A new password')).length
    expect((await forgot(email)).status).toBe(202)
    const letters = await until('the next letter', async () => {
      const found = (await lettersTo(email)).filter(({ subject }) => subject.startsWith('A new password'))
      return found.length > before && found
    })
    return tokenIn(letters[0] as Letter)
  }
  const me = async (person: Newcomer) => (await person.fetch('/api/identity/me')).json()

  describe('the address', () => {
    it('is asked for at the sign-up, and is confirmed by the link once', async () => {
      const person = await service.newcomer()
      expect(await me(person)).toMatchObject({ email: person.email, emailVerified: false })
      const token = tokenIn(await letterTo(person.email, 'Confirm your address'))
      expect(await (await post('/api/identity/email/verify', { token })).json()).toEqual({
        email: person.email,
        changed: false,
      })
      expect(await me(person)).toMatchObject({ emailVerified: true })
      expect(await statusAndCode(await post('/api/identity/email/verify', { token }))).toBe('410 link_expired')
    })

    it('is asked for again, with a link that ends the first one, until it is confirmed', async () => {
      const person = await service.newcomer()
      const first = tokenIn(await letterTo(person.email, 'Confirm'))
      expect((await postAs(person, '/api/identity/email/resend')).status).toBe(202)
      const second = tokenIn((await lettersTo(person.email))[0] as Letter)
      expect(second).not.toBe(first)
      expect((await post('/api/identity/email/verify', { token: first })).status).toBe(410)
      expect((await post('/api/identity/email/verify', { token: second })).status).toBe(200)
      expect((await postAs(person, '/api/identity/email/resend')).status).toBe(202)
      expect(await lettersTo(person.email)).toHaveLength(2)
    })

    it('is asked for at most five times within the hour', async () => {
      const person = await service.newcomer()
      const statuses: number[] = []
      for (let i = 0; i < 6; i++) statuses.push((await postAs(person, '/api/identity/email/resend')).status)
      expect(statuses).toEqual([202, 202, 202, 202, 429, 429])
      expect(await lettersTo(person.email)).toHaveLength(5)
    })

    it('is changed when the new one is confirmed, and not before; the old one is told of both', async () => {
      const person = await service.newcomer()
      const old = tokenIn(await letterTo(person.email, 'Confirm your address'))
      const email = `new-${person.email}`
      expect((await postAs(person, '/api/identity/email/change', { email })).status).toBe(202)
      expect(await me(person)).toMatchObject({ email: person.email })
      expect((await lettersTo(person.email))[0]?.subject).toContain('A new address')
      const token = tokenIn(await letterTo(email, 'Confirm your new address'))
      expect(await (await post('/api/identity/email/verify', { token })).json()).toEqual({ email, changed: true })
      expect(await me(person)).toMatchObject({ email, emailVerified: true })
      expect((await lettersTo(person.email))[0]?.subject).toContain('was changed')
      expect((await signIn(person.email, person.password)).status).toBe(401)
      expect((await signIn(email, person.password)).status).toBe(200)
      expect((await post('/api/identity/email/verify', { token: old })).status).toBe(410)
    })

    it('of somebody else cannot be taken, and nobody learns that it is in use', async () => {
      const [person, other] = [await service.newcomer(), await service.newcomer()]
      expect((await postAs(person, '/api/identity/email/change', { email: other.email })).status).toBe(202)
      const [told] = await lettersTo(other.email)
      expect(told?.body.action).toBeUndefined()
      expect(await me(other)).toMatchObject({ email: other.email })
    })

    it('that was free when it was asked for is refused when somebody took it meanwhile', async () => {
      const person = await service.newcomer()
      const email = `wanted-${person.email}`
      await postAs(person, '/api/identity/email/change', { email })
      const token = tokenIn(await letterTo(email, 'Confirm your new address'))
      await post('/api/identity/sign-up', { email, password: fresh })
      expect(await statusAndCode(await post('/api/identity/email/verify', { token }))).toBe('409 email_taken')
      expect(await me(person)).toMatchObject({ email: person.email })
    })

    it('needs a recent sign-in to be changed', async () => {
      const person = await service.newcomer()
      const { token } = await renewed(person)
      const refused = await fetch(`${service.url}/api/identity/email/change`, {
        method: 'POST',
        body: JSON.stringify({ email: `x-${person.email}` }),
        headers: { ...json, authorization: `Bearer ${token}` },
      })
      expect(await statusAndCode(refused)).toBe('403 reauthentication_required')
    })

    /** The access token of a sign-in whose password was asked for an hour ago. */
    async function renewed({ email, password }: Newcomer): Promise<{ token: string }> {
      const response = await signIn(email, password)
      const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      await service.test.admin.query(`update seaworthy.sessions set authenticated_at = now() - interval '1 hour'`)
      const answer = await fetch(`${service.url}/api/identity/refresh`, { method: 'POST', headers: { cookie } })
      return { token: ((await answer.json()) as { accessToken: string }).accessToken }
    }

    it.each(['a@b.cd,e@f.gh', 'Ann <a@b.cd>', '"a b"@c.de', 'a@b.cd\r\nBcc: e@f.gh', 'a@b'])(
      'cannot be %j',
      async (email) => {
        expect((await post('/api/identity/sign-up', { email, password: fresh })).status).toBe(400)
      },
    )
  })

  describe('a forgotten password', () => {
    it('is replaced by a link: every sign-in ends, nobody is signed in, and the person is told', async () => {
      const person = await service.newcomer()
      const elsewhere = await signIn(person.email, person.password)
      const cookie = elsewhere.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      const token = await resetTokenOf(person)
      const answer = await reset(token)
      expect(answer.status).toBe(204)
      expect(answer.headers.getSetCookie().join()).not.toMatch(/refresh=[^;]/)
      expect((await person.fetch('/api/identity/me')).status).toBe(401)
      expect((await fetch(`${service.url}/api/identity/refresh`, { method: 'POST', headers: { cookie } })).status).toBe(
        401,
      )
      expect((await signIn(person.email, person.password)).status).toBe(401)
      expect((await signIn(person.email, fresh)).status).toBe(200)
      expect((await lettersTo(person.email))[0]?.subject).toContain('was changed')
    })

    it('is replaced once, by the newest link, within half an hour', async () => {
      const person = await service.newcomer()
      const first = await resetTokenOf(person)
      const second = await resetTokenOf(person)
      expect(await statusAndCode(await reset(first))).toBe('410 link_expired')
      expect((await reset(second)).status).toBe(204)
      expect(await statusAndCode(await reset(second, 'another quiet harbour'))).toBe('410 link_expired')
      const third = await resetTokenOf(person)
      const { rows } = await service.test.admin.query(
        `update seaworthy.one_time_links set expires_at = now() where used_at is null and kind = 'password_reset' returning extract(epoch from expires_at - created_at) as age`,
      )
      expect(rows).toHaveLength(1)
      expect(await statusAndCode(await reset(third))).toBe('410 link_expired')
      expect((await signIn(person.email, fresh)).status).toBe(200)
    })

    it('is not replaced by one that is easy to guess, and the link stays good', async () => {
      const person = await service.newcomer()
      const token = await resetTokenOf(person)
      expect(await statusAndCode(await reset(token, 'password1'))).toBe('422 password_too_common')
      expect(await statusAndCode(await reset(token, person.email))).toBe('422 password_too_common')
      expect((await reset(token)).status).toBe(204)
    })

    it('is asked for with the same answer whether there is such an account, and five times within the hour', async () => {
      const person = await service.newcomer()
      const answerOf = async (response: Response) => `${response.status} ${await response.text()}`
      const known: string[] = []
      const unknown: string[] = []
      for (let i = 0; i < 7; i++) {
        known.push(await answerOf(await forgot(person.email)))
        unknown.push(await answerOf(await forgot('nobody@example.com')))
      }
      expect(known[0]).toContain('202 {"message":"If there is an account')
      expect(new Set([...known, ...unknown]).size).toBe(1)
      const resets = async () =>
        (await lettersTo(person.email)).filter(({ subject }) => subject.startsWith('A new password'))
      await until('five letters', async () => (await resets()).length >= 5)
      const after = await service.newcomer()
      await resetTokenOf(after)
      expect(await resets()).toHaveLength(5)
      expect(await lettersTo('nobody@example.com')).toEqual([])
    })

    it('leaves the second factor needed', async () => {
      const person = await service.newcomer()
      const { url } = await (await postAs(person, '/api/identity/totp/enrol')).json()
      const app = URI.parse(url) as TOTP
      const confirmed = await postAs(person, '/api/identity/totp/confirm', { code: app.generate() })
      expect(confirmed.status).toBe(200)
      expect((await reset(await resetTokenOf(person))).status).toBe(204)
      const answer = await signIn(person.email, fresh)
      expect(answer.status).toBe(202)
      expect(answer.headers.getSetCookie()).toEqual([])
    })

    it('ends a change of the address that a stranger had begun, and a sign-in that waits for its code', async () => {
      const person = await service.newcomer()
      const strange = `strange-${person.email}`
      await postAs(person, '/api/identity/email/change', { email: strange })
      const token = tokenIn(await letterTo(strange, 'Confirm your new address'))
      expect((await reset(await resetTokenOf(person))).status).toBe(204)
      expect(await statusAndCode(await post('/api/identity/email/verify', { token }))).toBe('410 link_expired')
    })

    it('shows that the address is read, and takes keys from whoever made the account without reading it', async () => {
      const person = await service.newcomer()
      const scopes = ['cosnap:read']
      const made = await postAs(person, '/api/identity/api-keys', { name: 'a key', role: 'viewer', scopes })
      const { key } = (await made.json()) as { key: string }
      const list = () =>
        fetch(`${service.url}/api/cosnap/photos`, { headers: { authorization: `Bearer ${key}` } }).then(
          ({ status }) => status,
        )
      expect(await list()).toBe(200)
      expect((await reset(await resetTokenOf(person))).status).toBe(204)
      await until('the key is refused', async () => (await list()) === 401)
      const answer = (await (await signIn(person.email, fresh)).json()) as { accessToken: string }
      const { emailVerified } = await (
        await fetch(`${service.url}/api/identity/me`, { headers: { authorization: `Bearer ${answer.accessToken}` } })
      ).json()
      expect(emailVerified).toBe(true)
    })
  })

  describe('a password', () => {
    it('is changed by whoever knows the old one: the other sign-ins end, this one stays, the person is told', async () => {
      const person = await service.newcomer()
      const elsewhere = (await (await signIn(person.email, person.password)).json()) as { accessToken: string }
      const change = (current: string, password: string) =>
        postAs(person, '/api/identity/password/change', { current, password })
      expect(await statusAndCode(await change('not the one', fresh))).toBe('401 wrong_credentials')
      expect(await statusAndCode(await change(person.password, 'qwertyuiop'))).toBe('422 password_too_common')
      expect((await change(person.password, fresh)).status).toBe(204)
      expect((await person.fetch('/api/identity/me')).status).toBe(200)
      const other = { headers: { authorization: `Bearer ${elsewhere.accessToken}` } }
      expect((await fetch(`${service.url}/api/identity/me`, other)).status).toBe(401)
      expect((await signIn(person.email, person.password)).status).toBe(401)
      expect((await signIn(person.email, fresh)).status).toBe(200)
      expect((await lettersTo(person.email))[0]?.subject).toContain('was changed')
    })

    it('does not open a sign-in that was under way while it was changed', async () => {
      const person = await service.newcomer()
      const { id } = await me(person)
      const { admin } = service.test
      await admin.query('begin')
      await admin.query(`update seaworthy.users set password_hash = password_hash || ' ' where id = $1`, [id])
      const underWay = signIn(person.email, person.password)
      await until('the sign-in waits for the change', async () => {
        // Within a transaction the view stays as it was first seen.
        await admin.query('select pg_stat_clear_snapshot()')
        const { rows } = await admin.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%for share%'`,
        )
        return rows.length > 0
      })
      await admin.query('commit')
      expect((await underWay).status).toBe(401)
    })

    it('is refused at the sign-up when many people use it, in words that say what to do', async () => {
      const response = await post('/api/identity/sign-up', { email: 'new@example.com', password: 'iloveyou1' })
      expect(response.status).toBe(422)
      expect(await response.json()).toMatchObject({
        code: 'password_too_common',
        fields: [{ path: 'body.password', message: 'is one of those that many people use. Try a few words in a row.' }],
      })
    })

    it.each([
      ['seven characters', 'sevench', 400],
      ['four characters that take two places each', '🛶🌊🐚🐋', 400],
      ['129 characters', 'xyz'.repeat(43), 400],
      ['128 characters', `${'xyz'.repeat(42)}ab`, 201],
      ['sixty-four characters that take two places each', '🛶🌊🐚🐋🦀🪸🐠⚓'.repeat(8).slice(0, 128), 201],
    ])('of %s is answered as it should be', async (name, password, status) => {
      const email = `length-${name.replaceAll(/\W/g, '')}@example.com`
      expect((await post('/api/identity/sign-up', { email, password })).status).toBe(status)
    })
  })

  describe('the outbox', () => {
    it('is listed page by page for an operator, who reads what a mail says', async () => {
      const operator = await service.operator()
      const person = await service.newcomer()
      const listed = await (await operator.fetch('/api/operations/mail?limit=1')).json()
      expect(listed).toMatchObject({
        delivers: false,
        items: [{ to: person.email, state: 'waiting', tries: 0, problem: null }],
        next: expect.any(String),
      })
      expect(JSON.stringify(listed)).not.toContain('token')
      const next = await (await operator.fetch(`/api/operations/mail?limit=1&cursor=${listed.next}`)).json()
      expect(next.items[0].id).not.toBe(listed.items[0].id)
      const read = await (await operator.fetch(`/api/operations/mail/${listed.items[0].id}`)).json()
      expect(read).toMatchObject({ to: person.email, action: { url: expect.stringContaining('/verify#token=') } })
      expect(read.paragraphs.length).toBeGreaterThan(0)
    })
  })
})

describe('with a mail server', () => {
  it('an operator sees that mail waits, and not what it says', async () => {
    const service = await openTestService({ SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'mail@example.com' })
    try {
      const operator = await service.operator()
      const { items, delivers } = await (await operator.fetch('/api/operations/mail')).json()
      expect(delivers).toBe(true)
      expect((await operator.fetch(`/api/operations/mail/${items[0].id}`)).status).toBe(403)
    } finally {
      await service.close()
    }
  })
})
