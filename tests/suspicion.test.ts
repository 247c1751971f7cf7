import { type Newcomer, openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('whoever behaves like an attack', () => {
  let service: TestService
  let person: Newcomer
  beforeAll(async () => {
    service = await openTestService({ SUSPICION: 'limit', TRUSTED_PROXIES: '1' })
    person = await service.newcomer()
  })
  afterAll(() => service.close())

  const ask = (network: number, path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.url}${path}`, { headers: { 'x-forwarded-for': `203.0.113.${network}`, ...headers } })
  const statuses = async (times: number, one: (i: number) => Promise<Response>): Promise<number[]> => {
    const all: number[] = []
    for (let i = 0; i < times; i++) all.push((await one(i)).status)
    return all
  }

  it('has to wait after two holes, whatever it says it accepts, and is told for how long', async () => {
    expect(await statuses(3, () => ask(1, '/wp-login.php', { accept: 'text/html' }))).toEqual([404, 404, 429])
    const refused = await ask(1, '/api/cosnap/effects')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500)
  })

  it('harms neither other networks nor those who are signed in beside it', async () => {
    expect((await ask(2, '/api/cosnap/effects')).status).toBe(200)
    expect((await ask(1, '/api/identity/me', { authorization: `Bearer ${person.token}` })).status).toBe(200)
  })

  it('learns nothing more from forged tokens', async () => {
    const forge = (i: number) =>
      ask(3, '/api/identity/me', { authorization: `Bearer eyJhbGciOiJub25lIn0.e30.${i}0000000` })
    expect(await statuses(6, forge)).toEqual([401, 401, 401, 401, 429, 429])
  })

  it('has to wait when it looks through things of others, signed in', async () => {
    const peeper = await service.newcomer()
    const peep = () => peeper.fetch(`/api/cosnap/photos/${crypto.randomUUID()}`, { method: 'DELETE' })
    expect(await statuses(9, peep)).toEqual([...Array(8).fill(404), 429])
    expect((await person.fetch('/api/identity/me')).status).toBe(200)
  })

  it('is in the log with the reasons', () => {
    const lines = service.log.filter((line) => line.includes('"security":"suspicion"')).map((line) => JSON.parse(line))
    expect(lines.map((line) => line.why)).toEqual([{ honey: 2 }, { forged_sign_in: 4 }, { missing_thing: 8 }])
    expect(lines[0]).toMatchObject({ network: '203.0.x.x', action: 'limited', minutes: 10 })
  })
})
