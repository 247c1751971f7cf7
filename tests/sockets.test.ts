import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createLive, type Session } from '@seaworthy/client'
import type { AccountId, Caller, UserId } from '@seaworthy/core'
import { type Feed, jobsChannel, openSockets, type Sockets, type StoredEvent } from '@seaworthy/platform/realtime'
import { createMemoryLogger, createMetrics } from '@seaworthy/platform/telemetry'
import { until } from '@seaworthy/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBareSocket } from './bare-socket.ts'

interface Client {
  on(event: string, listener: (value: StoredEvent & { cursor: number }) => void): void
  emitWithAck(event: string, value: unknown): Promise<{ ok: boolean; cursor: number }>
  disconnect(): void
}
const clientOf = createRequire(createRequire(import.meta.url).resolve('@seaworthy/client/package.json'))
const { io } = clientOf('socket.io-client') as { io: (url: string, options: object) => Client }

const accountId = 'an account' as AccountId
const caller: Caller = {
  userId: 'somebody' as UserId,
  accountId,
  role: 'owner',
  sessionId: 'a session',
  authenticatedAtMs: 0,
  secondFactor: false,
  operator: false,
}
const eventOf = (id: number, payload: unknown = { id }): StoredEvent => ({
  id,
  accountId,
  channel: jobsChannel.name,
  payload,
})
const session = {
  state: { status: 'signed-in' },
  token: async () => 'a token',
  forget: () => undefined,
} as unknown as Session

const seen = { show: () => () => undefined, note: () => undefined, changed: () => undefined }

describe('a live connection', () => {
  const metrics = createMetrics()
  let server: Server
  let sockets: Sockets
  let feed: Feed | undefined
  let url: string
  beforeEach(async () => {
    feed = undefined
    server = createServer()
    sockets = openSockets({
      server,
      channels: [jobsChannel],
      identify: () => caller,
      allowedOrigin: () => true,
      feed: () => {
        if (!feed) throw new Error('not yet')
        return feed
      },
      log: createMemoryLogger(),
      metrics: { ...metrics, gauge: () => undefined, counter: () => () => undefined },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    await sockets.close()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const feedOf = (cursor: number, since: Feed['since'] = async () => []): Feed => ({
    cursor,
    since,
    recent: async () => [],
    stop: async () => undefined,
  })
  const open = () => openBareSocket((server.address() as AddressInfo).port, 'a token')
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )

  it('gives what was missed before anything newer, and moves the cursor with what was given', async () => {
    let asked: (missed: StoredEvent[]) => void = () => undefined
    const missed = new Promise<StoredEvent[]>((resolve) => {
      asked = resolve
    })
    let reading = false
    feed = feedOf(11, () => {
      reading = true
      return missed
    })
    const client = io(url, { path: '/socket', transports: ['websocket'], auth: { token: 'a token' } })
    try {
      const heard: [number, number][] = []
      client.on('event', ({ id, cursor }) => heard.push([id, cursor]))
      const reply = client.emitWithAck('subscribe', { channel: jobsChannel.name, cursor: 9 })
      await until('the missed events are being read', () => reading)
      feed = feedOf(13)
      for (const id of [12, 11, 13]) sockets.deliver(eventOf(id))
      asked([eventOf(10), eventOf(11)])
      expect(await reply).toEqual({ ok: true, cursor: 11 })
      sockets.deliver(eventOf(14))
      await until('the newest is heard', () => heard.some(([id]) => id === 14))
      expect(heard).toEqual([
        [10, 10],
        [11, 11],
        [12, 11],
        [13, 11],
        [14, 13],
      ])
    } finally {
      client.disconnect()
    }
  })

  it('is opened again by the page when events could not be read just now', async () => {
    const live = createLive({ baseUrl: url, session, seen })
    try {
      const heard: number[] = []
      live.watch<{ id: number }>(
        jobsChannel.name,
        ({ id }) => heard.push(id),
        () => undefined,
      )
      await until('the page is connected', async () => (await connections()) === 1)
      feed = feedOf(20)
      await until('an event is heard', () => {
        sockets.deliver(eventOf(21))
        return heard.length > 0
      })
      expect(heard).toEqual([21])
    } finally {
      live.close()
    }
  })

  it('is cut at a mebibyte that its reader leaves unread, at once and whatever it was sent', async () => {
    feed = feedOf(0)
    const slow = await open()
    slow.send(`420${JSON.stringify(['subscribe', { channel: jobsChannel.name }])}`)
    slow.socket.pause()
    let sent = 0
    await until('it is cut', async () => {
      for (let i = 0; i < 8; i++) sockets.deliver(eventOf(++sent, 'x'.repeat(65_536)))
      return (await connections()) === 0
    })
    slow.socket.destroy()
  })

  it('is cut when it asks without end', async () => {
    feed = feedOf(0)
    const pushy = await open()
    await until('it is cut', () => {
      for (let i = 0; i < 50; i++) pushy.send(`42${i}["subscribe",{"channel":"none"}]`)
      return !pushy.isOpen()
    })
  })
})
