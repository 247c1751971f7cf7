import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { createLive } from '@seaworthy/client'
import { jpegPhoto, openTestService, type TestService, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface BareSocket {
  on(event: string, listener: (value: never) => void): void
  emit(event: string, value: unknown, reply: (answer: { ok: boolean }) => void): void
  disconnect(): void
}
const clientOf = createRequire(createRequire(import.meta.url).resolve('@seaworthy/client/package.json'))
const { io } = clientOf('socket.io-client') as { io: (url: string, options: object) => BareSocket }

describe('live events', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const connect = (options: object): Promise<{ socket: BareSocket; outcome: string }> =>
    new Promise((resolve) => {
      const socket = io(service.url, { path: '/socket', transports: ['websocket'], reconnection: false, ...options })
      socket.on('connect', () => resolve({ socket, outcome: 'connected' }))
      socket.on('connect_error', (error: never) => resolve({ socket, outcome: (error as Error).message }))
    })

  it('let nobody in without a token, with a bad one, or from another site', async () => {
    const { token } = await service.newcomer()
    for (const options of [
      {},
      { auth: { token: 'x' } },
      { auth: { token }, extraHeaders: { origin: 'https://evil.example' } },
    ]) {
      const { socket, outcome } = await connect(options)
      expect(outcome).not.toBe('connected')
      socket.disconnect()
    }
  })

  it('open no channel that does not exist, and end with the sign-in', async () => {
    const { token, api } = await service.newcomer()
    const { socket, outcome } = await connect({ auth: { token } })
    expect(outcome).toBe('connected')
    const answer = await new Promise<{ ok: boolean }>((resolve) =>
      socket.emit('subscribe', { channel: 'platform.secrets' }, resolve),
    )
    expect(answer.ok).toBe(false)
    const ended = new Promise<void>((resolve) => socket.on('disconnect', () => resolve()))
    await api.http.POST('/api/identity/sign-out')
    await ended
  })

  it("tell a person the progress of their own jobs and nothing of anybody else's", async () => {
    const [owner, stranger] = [await service.newcomer(), await service.newcomer()]
    const heard = { owner: [] as string[], stranger: [] as string[] }
    const lives = [
      createLive({ baseUrl: service.url, ...owner.api }),
      createLive({ baseUrl: service.url, ...stranger.api }),
    ]
    lives[0]?.watch<{ state: string }>(
      'platform.jobs',
      ({ payload }) => heard.owner.push(payload.state),
      () => undefined,
    )
    lives[1]?.watch<{ state: string }>(
      'platform.jobs',
      ({ payload }) => heard.stranger.push(payload.state),
      () => undefined,
    )
    const worker = await service.startWorker()
    try {
      const { id: photoId } = await (
        await owner.fetch('/api/cosnap/photos', { method: 'POST', body: await jpegPhoto() })
      ).json()
      const body = JSON.stringify({ photoId, effect: 'noir', strength: 60 })
      await owner.fetch('/api/cosnap/runs', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      })
      await until('the end was heard', () => heard.owner.includes('done'))
      expect(heard.owner[0]).toBe('waiting')
      expect(heard.owner).toContain('running')
      expect(heard.stranger).toEqual([])
    } finally {
      await worker.stop()
      for (const live of lives) live.close()
    }
  })
})
