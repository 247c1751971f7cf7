import { type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const someId = '01890000-0000-7000-8000-000000000000'
interface Line {
  readonly id: string
  readonly action: string
  readonly outcome: string
  readonly kind: string
  readonly status: number
  readonly path: string
  readonly userAgent: string
  readonly userId: string
  readonly accountId: string
  readonly errorCode: string | null
  readonly resource: string | null
}

describe('the audit over HTTP', () => {
  let service: TestService
  let person: Newcomer
  beforeAll(async () => {
    service = await openTestService()
    person = await service.newcomer()
  })
  afterAll(() => service.close())

  const list = async (of: Newcomer, query = ''): Promise<{ items: Line[]; next: string | null }> =>
    (await of.fetch(`/api/audit${query}`)).json()
  const act = (of: Newcomer, id = someId) =>
    of.fetch(`/api/cosnap/runs/${id}/cancel?token=secret-in-query`.replace(/\?.*/, ''), {
      method: 'POST',
      headers: { 'user-agent': 'audit-test/1' },
    })
  const setRole = async (of: Newcomer, role: string) => {
    await service.test.admin.query('update seaworthy.memberships set role = $1 where account_id = $2', [
      role,
      of.accountId,
    ])
    const session = await of.api.http.POST('/api/identity/sign-in', {
      body: { email: of.email, password: of.password },
    })
    const token = session.data && 'accessToken' in session.data ? session.data.accessToken : ''
    const fetchAs: Newcomer['fetch'] = (path, init = {}) =>
      fetch(`${service.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
    return { ...of, token, fetch: fetchAs }
  }

  it('says who did what, to what, with which program, and why it was refused', async () => {
    await act(person)
    const { items } = await list(person, '?action=effect_cancel')
    expect(items[0]).toMatchObject({
      action: 'effect_cancel',
      outcome: 'refused',
      status: 404,
      errorCode: 'not_found',
      resource: someId,
      path: `/api/cosnap/runs/${someId}/cancel`,
      userAgent: 'audit-test/1',
      accountId: person.accountId,
    })
  })

  it('has a line of what was refused before its handler ran, for whoever was known', async () => {
    const refused = await person.fetch('/api/cosnap/runs', {
      method: 'POST',
      body: 'no json',
      headers: { 'content-type': 'application/json' },
    })
    expect(refused.status).toBe(400)
    const { items } = await list(person, '?outcome=refused&action=effect_start')
    expect(items[0]).toMatchObject({ status: 400, errorCode: 'malformed_request' })
    const count = async () =>
      (await service.test.admin.query('select count(*)::int as n from seaworthy.audit')).rows[0].n
    const before = await count()
    await fetch(`${service.url}/api/cosnap/runs`, { method: 'POST', body: '{}' })
    expect(await count()).toBe(before)
  })

  it('pages by signed cursors, and believes no other', async () => {
    const one = await service.newcomer()
    for (let i = 0; i < 5; i++) await act(one)
    const seen: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const page: { items: Line[]; next: string | null } = await list(one, `?limit=2${next ? `&cursor=${next}` : ''}`)
      seen.push(...page.items.map(({ id }) => id))
      next = page.next
    }
    expect(seen).toHaveLength(6)
    expect([...seen].sort().reverse()).toEqual(seen)
    const { next } = await list(one, '?limit=2')
    expect((await person.fetch(`/api/audit?cursor=${next}`)).status).toBe(400)
  })

  it('filters by outcome, kind, user and time', async () => {
    const one = await service.newcomer()
    await act(one)
    const actions = async (query: string) => (await list(one, query)).items.map(({ action }) => action)
    expect(await actions('')).toEqual(['effect_cancel', 'sign_up'])
    expect(await actions('?kind=security')).toEqual(['sign_up'])
    expect(await actions('?except=sign_up')).toEqual(['effect_cancel'])
    expect(await actions('?except=sign_up,effect_cancel')).toEqual([])
    expect((await one.fetch('/api/audit?except=sign_up,')).status).toBe(400)
    expect(await actions('?outcome=refused')).toEqual(['effect_cancel'])
    expect(await actions(`?user=${someId}`)).toEqual([])
    const now = new Date().toISOString()
    expect(await actions(`?from=${now}`)).toEqual([])
    expect(await actions(`?to=${now}`)).toHaveLength(2)
    expect((await one.fetch('/api/audit?from=yesterday')).status).toBe(400)
  })

  it("shows members their own lines and nobody else's", async () => {
    const owner = await service.newcomer()
    await act(owner)
    await service.test.admin.query('update seaworthy.audit set user_id = $1 where account_id = $2', [
      someId,
      owner.accountId,
    ])
    const viewer = await setRole(owner, 'viewer')
    expect((await list(viewer)).items.map(({ action }) => action)).toEqual(['sign_in'])
    expect((await viewer.fetch(`/api/audit?user=${someId}`)).status).toBe(403)
    expect((await viewer.fetch('/api/audit/export')).status).toBe(403)
    const admin = await setRole(owner, 'admin')
    expect((await list(admin)).items.length).toBeGreaterThan(2)
  })

  it('exports all lines as CSV and as JSON lines, and audits that it did', async () => {
    const one = await service.newcomer()
    for (let i = 0; i < 3; i++) await act(one)
    const csv = await one.fetch('/api/audit/export?format=csv')
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="audit.csv"')
    const rows = (await csv.text()).trim().split('\r\n')
    expect(rows).toHaveLength(6)
    expect(rows[0]).toMatch(/^at,kind,action,/)
    const json = await one.fetch('/api/audit/export?format=jsonl&action=audit_export')
    const lines = (await json.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    expect(lines).toMatchObject([{ action: 'audit_export', kind: 'security' }, { action: 'audit_export' }])
    expect(lines[0]?.userId).toBeTruthy()
  })

  it('counts what was done and refused in seven days', async () => {
    const one = await service.newcomer()
    for (let i = 0; i < 3; i++) await act(one)
    const { actions } = await (await one.fetch('/api/audit/statistics')).json()
    expect(actions).toMatchObject([
      { action: 'effect_cancel', done: 0, refused: 3 },
      { action: 'sign_up', done: 1, refused: 0 },
    ])
  })

  it('shows operators the security events of all accounts, failed sign-ins included, and nobody else', async () => {
    const operator = await service.operator()
    await fetch(`${service.url}/api/identity/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ email: person.email, password: 'wrong' }),
      headers: { 'content-type': 'application/json' },
    })
    const { items } = await (await operator.fetch('/api/operations/security-events?limit=5')).json()
    expect(items[0]).toMatchObject({ action: 'sign_in', outcome: 'refused', errorCode: 'wrong_credentials' })
    expect(items.every(({ kind }: Line) => kind === 'security')).toBe(true)
    expect((await person.fetch('/api/operations/security-events')).status).toBe(403)
  })
})
