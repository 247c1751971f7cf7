import type { Server as HttpServer } from 'node:http'
import { type Caller, MiB, roleAtLeast } from '@seaworthy/core'
import { Server, type Socket } from 'socket.io'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import type { Channel } from '../channel.ts'
import type { Feed, StoredEvent } from '../feed.ts'

export interface SocketSettings {
  readonly server: HttpServer
  readonly channels: readonly Channel[]
  readonly identify: (token: string) => Caller | Promise<Caller>
  readonly allowedOrigin: (origin: string | undefined, host: string | undefined) => boolean
  readonly feed: () => Feed
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
/** A reader that leaves this much unread is cut off; it comes back and catches up by its cursor. */
const UNREAD_BYTES_MAX = MiB
/** Access tokens live longer; a socket asks for a fresh one this often by being closed. */
const SOCKET_LIFE_MS = 15 * 60_000

type SubscribeReply = (reply: { ok: boolean; cursor?: number; reset?: boolean }) => void

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
  io.on('connection', (socket) => {
    const caller = socket.data.caller as Caller
    countQueued(socket)
    forgetRequest(socket)
    const timer = setTimeout(() => socket.disconnect(true), SOCKET_LIFE_MS)
    socket.once('disconnect', () => clearTimeout(timer))
    socket.on('subscribe', (request: unknown, reply: unknown) => {
      if (typeof reply !== 'function') return
      subscribe(settings, socket, caller, request, reply as SubscribeReply).catch((error: unknown) => {
        settings.log.warn('a subscription failed', { error })
        ;(reply as SubscribeReply)({ ok: false })
      })
    })
  })
  return {
    deliver: (event) => deliver(io, settings.feed().cursor, event),
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

/** Joins first and replays then, so that nothing falls between; the client drops what it has by id. */
async function subscribe(
  settings: SocketSettings,
  socket: Socket,
  caller: Caller,
  request: unknown,
  reply: SubscribeReply,
): Promise<void> {
  const { channel: name, cursor } = (request ?? {}) as { channel?: unknown; cursor?: unknown }
  const channel = settings.channels.find((candidate) => candidate.name === name)
  if (!channel || !roleAtLeast(caller.role, channel.auth) || socket.rooms.size > SUBSCRIPTIONS_MAX)
    return reply({ ok: false })
  const now = settings.feed().cursor
  await socket.join(roomOf(channel.name, caller.accountId))
  const missed = Number.isSafeInteger(cursor)
    ? await settings.feed().since(caller.accountId, channel.name, cursor as number)
    : await settings.feed().recent(caller.accountId, channel.name)
  for (const event of missed ?? []) socket.emit('event', toMessage(event, now))
  reply({ ok: true, cursor: now, ...(missed ? {} : { reset: true }) })
}

function deliver(io: Server, cursor: number, event: StoredEvent): void {
  const room = roomOf(event.channel, event.accountId)
  for (const id of io.sockets.adapter.rooms.get(room) ?? []) {
    const socket = io.sockets.sockets.get(id)
    if (!socket) continue
    if (unreadBytes(socket) > UNREAD_BYTES_MAX) socket.disconnect(true)
    else socket.emit('event', toMessage(event, cursor))
  }
}

/** What an idle socket came with, its token among it, is not kept for as long as it is open. */
function forgetRequest({ conn, handshake }: Socket): void {
  Object.assign(conn, { request: null })
  Object.assign(handshake, { headers: {}, auth: {} })
}

/** While one message is on its way the library keeps those that follow, without a limit of its own. */
function countQueued({ conn, data }: Socket): void {
  data.queuedBytes = 0
  conn.on('packetCreate', (packet: { data?: { length: number } }) => {
    data.queuedBytes += packet.data?.length ?? 0
  })
  conn.on('flush', () => {
    data.queuedBytes = 0
  })
}

function unreadBytes({ conn, data }: Socket): number {
  const transport = conn.transport as unknown as { socket?: { bufferedAmount?: number } }
  return data.queuedBytes + (transport.socket?.bufferedAmount ?? 0)
}

const roomOf = (channel: string, accountId: string): string => `channel:${channel}:${accountId}`
const toMessage = (event: StoredEvent, cursor: number) => ({
  id: event.id,
  channel: event.channel,
  payload: event.payload,
  cursor,
})
