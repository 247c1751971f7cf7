import type { Server as HttpServer } from 'node:http'
import { type Caller, roleAtLeast } from '@seaworthy/core'
import { Server, type Socket } from 'socket.io'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import { type CatchUps, createCatchUps } from '../catch-up.ts'
import type { Channel } from '../channel.ts'
import type { Feed, StoredEvent } from '../feed.ts'
import { boundTraffic, type Connection } from '../traffic.ts'

export interface SocketSettings {
  readonly server: HttpServer
  readonly channels: readonly Channel[]
  readonly identify: (token: string) => Caller | Promise<Caller>
  readonly allowedOrigin: (origin: string | undefined, host: string | undefined) => boolean
  /** Throws while it is not open yet. */
  readonly feed: () => Feed
  /** Of the pages that this release serves: whoever shows others is told that there are new ones. Empty where there are none. */
  readonly webBuild?: string
  readonly log: Logger
  readonly metrics: Metrics
}

export interface Sockets {
  deliver(event: StoredEvent): void
  endSession(sessionId: string): void
  close(): Promise<void>
}

/** Where WebSockets connect. */
export const SOCKET_PATH = '/socket'

const MESSAGE_BYTES_MAX = 4_096
const SUBSCRIPTIONS_MAX = 20
const SOCKETS_PER_ACCOUNT_MAX = 30
/** Access tokens live longer; a socket asks for a fresh one this often by being closed. */
const SOCKET_LIFE_MS = 15 * 60_000

/** `again`: not now, but in a moment. `reset`: more was missed than can be given again, so read the state anew. */
type SubscribeReply = (reply: { ok: boolean; again?: boolean; cursor?: number; reset?: boolean }) => void

/** WebSocket only. A socket belongs to one caller and hears only channels of the caller's account. */
export function openSockets(settings: SocketSettings): Sockets {
  const io = new Server(settings.server, {
    path: SOCKET_PATH,
    // Requests that offer another protocol are answered by the HTTP room.
    destroyUpgrade: false,
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MESSAGE_BYTES_MAX,
    pingInterval: 25_000,
    pingTimeout: 20_000,
    connectTimeout: 10_000,
    allowRequest: (request, decide) =>
      decide(null, settings.allowedOrigin(request.headers.origin, request.headers.host)),
  })
  settings.metrics.gauge('realtime_sockets', 'Open sockets of this process.', () => io.engine.clientsCount)
  io.use((socket, next) => {
    void admit(settings, io, socket).then(
      () => next(),
      () => next(new Error('unauthenticated')),
    )
  })
  const cuts = settings.metrics.counter('realtime_sockets_cut_total', 'Sockets that were cut for what they cost.', [
    'why',
  ])
  // From the first byte on, before anybody is known.
  io.engine.on('connection', (connection: Connection) => boundTraffic(connection, (why) => cuts({ why })))
  const catchUps = createCatchUps()
  io.on('connection', (socket) => {
    const caller = socket.data.caller as Caller
    forgetRequest(socket)
    if (settings.webBuild) socket.emit('build', settings.webBuild)
    const timer = setTimeout(() => socket.disconnect(true), SOCKET_LIFE_MS)
    socket.once('disconnect', () => clearTimeout(timer))
    socket.on('subscribe', (request: unknown, reply: unknown) => {
      if (typeof reply !== 'function') return
      subscribe({ settings, catchUps, socket, caller }, request, reply as SubscribeReply).catch((error: unknown) => {
        // Not louder: when the database is away, thousands of readers ask.
        settings.log.debug('a subscription failed; the reader tries again', { error })
        ;(reply as SubscribeReply)({ ok: false, again: true })
      })
    })
  })
  return {
    deliver: (event) => {
      const room = roomOf(event.channel, event.accountId)
      const late = catchUps.hold(room, event)
      io.to(room)
        .except([...late])
        .emit('event', toMessage(event, settings.feed().cursor))
    },
    endSession: (sessionId) => io.in(`session:${sessionId}`).disconnectSockets(true),
    // The HTTP server is its owner's to close.
    close: async () => {
      io.disconnectSockets(true)
      io.engine.close()
    },
  }
}

async function admit(settings: SocketSettings, io: Server, socket: Socket): Promise<void> {
  const token: unknown = socket.handshake.auth.token
  if (typeof token !== 'string') throw new Error('no token')
  const caller = await settings.identify(token)
  if (caller.scopes) throw new Error('API keys open no socket')
  const mine = `account:${caller.accountId}`
  if ((io.sockets.adapter.rooms.get(mine)?.size ?? 0) >= SOCKETS_PER_ACCOUNT_MAX) throw new Error('too many sockets')
  socket.data.caller = caller
  await socket.join([mine, `session:${caller.sessionId}`])
}

interface Subscriber {
  readonly settings: SocketSettings
  readonly catchUps: CatchUps
  readonly socket: Socket
  readonly caller: Caller
}

/** Joins first and replays then, so that nothing falls between; the client drops what it has by id. */
async function subscribe(by: Subscriber, request: unknown, reply: SubscribeReply): Promise<void> {
  const { settings, catchUps, socket, caller } = by
  const { channel: name, cursor } = (request ?? {}) as { channel?: unknown; cursor?: unknown }
  const channel = settings.channels.find((candidate) => candidate.name === name)
  if (!channel || !roleAtLeast(caller.role, channel.auth) || socket.rooms.size > SUBSCRIPTIONS_MAX)
    return reply({ ok: false })
  const feed = settings.feed()
  const room = roomOf(channel.name, caller.accountId)
  if (!catchUps.begin(room, socket.id)) return reply({ ok: false, again: true })
  try {
    const now = feed.cursor
    await socket.join(room)
    const missed = Number.isSafeInteger(cursor)
      ? await feed.since(caller.accountId, channel.name, cursor as number)
      : await feed.recent(caller.accountId, channel.name)
    giveMissed(socket, now, missed ?? [], catchUps.end(room, socket.id))
    reply({ ok: true, cursor: now, ...(missed ? {} : { reset: true }) })
  } catch (error) {
    // What it missed is still missing: nothing newer may reach it before.
    await socket.leave(room)
    catchUps.end(room, socket.id)
    throw error
  }
}

/** The cursor moves with what was given: whoever is cut off in between comes back for the rest. */
function giveMissed(socket: Socket, now: number, missed: readonly StoredEvent[], held: readonly StoredEvent[]): void {
  const given = new Set(missed.map(({ id }) => id))
  for (const event of missed) socket.emit('event', toMessage(event, Math.min(event.id, now)))
  for (const event of held) if (!given.has(event.id)) socket.emit('event', toMessage(event, now))
}

/** What an idle socket came with, its token among it, is not kept for as long as it is open. */
function forgetRequest({ conn, handshake }: Socket): void {
  Object.assign(conn, { request: null })
  Object.assign(handshake, forgotten)
}

const forgotten = { headers: {}, auth: {}, query: {}, url: '', time: '' }

const roomOf = (channel: string, accountId: string): string => `channel:${channel}:${accountId}`
const toMessage = (event: StoredEvent, cursor: number) => ({
  id: event.id,
  channel: event.channel,
  payload: event.payload,
  cursor,
})
