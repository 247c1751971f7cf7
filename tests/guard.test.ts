import { openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const password = 'a boat for everyone'

describe('signing in while somebody guesses', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const send = (path: string, body: object, cookie = ''): Promise<Response> =>
    fetch(`${service.url}/api/identity/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })
  const deviceOf = (response: Response): string =>
    response.headers.getSetCookie().find((cookie) => cookie.startsWith('device=')) ?? ''
  const guessAll = async (email: string): Promise<Response> => {
    for (let i = 0; i < 5; i++) expect((await send('sign-in', { email, password: 'wrong' })).status).toBe(401)
    return send('sign-in', { email, password })
  }

  it('tells everybody else to wait and lets the owner in on the browser of the sign-up', async () => {
    const email = 'owner@example.com'
    const device = deviceOf(await send('sign-up', { email, password }))
    expect(device).toMatch(/^device=[\w.-]+; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Strict$/)
    const refused = await guessAll(email)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'too_many_requests', detail: expect.stringContaining('device') })
    const entered = await send('sign-in', { email, password }, device.split(';')[0])
    expect(entered.status).toBe(200)
    expect(deviceOf(entered)).toBe(device)
  })

  it('gives both cookies at a sign-in, and the device cookie lets nobody in', async () => {
    const email = 'both@example.com'
    await send('sign-up', { email, password })
    const entered = await send('sign-in', { email, password })
    expect(entered.headers.getSetCookie().map((cookie) => cookie.split('=')[0])).toEqual(['refresh', 'device'])
    const cookie = deviceOf(entered).split(';')[0]
    expect((await send('sign-in', { email, password: 'wrong' }, cookie)).status).toBe(401)
    expect((await send('refresh', {}, cookie)).status).toBe(204)
  })

  it('answers the same for an address without an account', async () => {
    const refused = await guessAll('nobody@example.com')
    expect(refused.status).toBe(429)
  })
})
