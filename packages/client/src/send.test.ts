import { describe, expect, it } from 'vitest'
import { createSeen } from './seen.ts'
import { createSender } from './send.ts'
import { createSession } from './session.ts'

type Script = (request: Request, attempt: number) => Response | Promise<Response>

/** A sender whose service follows a script; refreshes always succeed. */
function open(script: Script, accountOf: (refresh: number) => string = () => 'a') {
  const seen: Request[] = []
  let refreshes = 0
  const fetcher: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.url.endsWith('/refresh')) {
      refreshes++
      const user = { id: 'u', accountId: accountOf(refreshes), role: 'owner', operator: false }
      return Response.json({ accessToken: `token-${refreshes}`, expiresInSeconds: 900, user })
    }
    seen.push(request.clone())
    return script(request, seen.length)
  }
  const session = createSession('http://x', fetcher)
  return {
    send: createSender({ session, seen: createSeen(), fetcher, timeoutMs: 1_000, retriesMax: 3 }),
    seen,
    session,
    refreshes: () => refreshes,
  }
}
const post = (key?: string) =>
  new Request('http://x/runs', { method: 'POST', body: '{}', headers: key ? { 'idempotency-key': key } : {} })
const broken = (): never => {
  throw new TypeError('fetch failed')
}

describe('the client', () => {
  it('repeats a read until it is answered', async () => {
    const { send, seen } = open((_, attempt) =>
      attempt < 3 ? new Response('', { status: 503 }) : Response.json({ fine: true }),
    )
    expect((await send(new Request('http://x/photos'))).status).toBe(200)
    expect(seen).toHaveLength(3)
  })

  it('repeats a change only under a key, and always under the same', async () => {
    const unsafe = open(broken)
    await expect(unsafe.send(post())).rejects.toMatchObject({ problem: { code: 'offline' } })
    expect(unsafe.seen).toHaveLength(1)
    const safe = open((_, attempt) => (attempt < 3 ? broken() : Response.json({})))
    await safe.send(post('wish-1'))
    expect(safe.seen.map((request) => request.headers.get('idempotency-key'))).toEqual(['wish-1', 'wish-1', 'wish-1'])
  })

  it('gives up after three repetitions', async () => {
    const { send, seen } = open(() => new Response('', { status: 503 }))
    expect((await send(new Request('http://x/photos'))).status).toBe(503)
    expect(seen).toHaveLength(4)
  })

  it('does not bury a service in trouble: repetitions run out over many requests', async () => {
    const { send, seen } = open(broken)
    await Promise.all(Array.from({ length: 20 }, () => send(new Request('http://x/photos')).catch(() => undefined)))
    expect(seen.length).toBeLessThan(20 + 13)
  })

  it('gets a new token when the old one is refused, and tries once more', async () => {
    const { send, seen, refreshes } = open((_, attempt) => new Response('', { status: attempt === 1 ? 401 : 200 }))
    expect((await send(post())).status).toBe(200)
    expect(refreshes()).toBe(2)
    expect(seen.map((request) => request.headers.get('authorization'))).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it('does not repeat in one account what was meant for another', async () => {
    const { send, seen, session } = open(
      (_, attempt) => new Response('', { status: attempt === 2 ? 401 : 200 }),
      (refresh) => (refresh === 1 ? 'office' : 'home'),
    )
    await send(post())
    await expect(send(post('wish-1'))).rejects.toMatchObject({ problem: { code: 'account_changed' } })
    expect(seen).toHaveLength(2)
    expect(session.state.user?.accountId).toBe('home')
    expect((await send(post())).status).toBe(200)
  })

  it('does not take a wrong password for the end of the sign-in', async () => {
    const { send, seen } = open(() => Response.json({ code: 'wrong_credentials', title: 'x' }, { status: 401 }))
    expect((await send(post())).status).toBe(401)
    expect(seen).toHaveLength(1)
  })

  it('renews once for many requests at the same time', async () => {
    const { send, refreshes } = open(() => Response.json({}))
    await Promise.all(Array.from({ length: 10 }, () => send(new Request('http://x/photos'))))
    expect(refreshes()).toBe(1)
  })
})
