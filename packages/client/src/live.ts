import type { Socket } from 'socket.io-client'
import type { Builds } from './builds.ts'
import type { Seen } from './seen.ts'
import type { Session } from './session.ts'

export interface LiveMessage<Payload> {
  readonly id: number
  readonly payload: Payload
}

export interface Live {
  /** Every event of a channel from now on, once, also those missed while the connection was away. */
  watch<Payload>(channel: string, onEvent: (message: LiveMessage<Payload>) => void, onReset: () => void): () => void
  /** Connects also when nothing is watched: so the end of the sign-in is heard within a second. */
  open(): void
  close(): void
}

export interface LiveSettings {
  readonly baseUrl: string
  readonly session: Session
  readonly seen: Seen
  readonly builds?: Builds
}

interface Wire {
  readonly id: number
  readonly channel: string
  readonly payload: unknown
  readonly cursor: number
}

interface Watched {
  cursor: number | undefined
  readonly seen: Set<number>
  readonly listeners: Set<{ onEvent: (message: LiveMessage<unknown>) => void; onReset: () => void }>
}

const SEEN_MAX = 1_000
const REFUSED = 'unauthenticated'
const REFUSED_MS = 5_000
const AGAIN_MS = 1_000
const AGAIN_MS_MAX = 30_000

/** One WebSocket for the page, opened when the first channel is watched; the library is loaded then. */
export function createLive(settings: LiveSettings): Live {
  const { seen } = settings
  const channels = new Map<string, Watched>()
  let opening: Promise<Socket> | undefined
  const open = (): Promise<Socket> => {
    opening ??= connect(settings, channels)
    return opening
  }
  return {
    watch: (channel, onEvent, onReset) => {
      const watched = channels.get(channel) ?? { cursor: undefined, seen: new Set(), listeners: new Set() }
      const listener = { onEvent: onEvent as (message: LiveMessage<unknown>) => void, onReset }
      watched.listeners.add(listener)
      if (!channels.has(channel)) {
        channels.set(channel, watched)
        void open().then((socket) => socket.connected && subscribe({ socket, seen }, channel, watched))
      }
      return () => watched.listeners.delete(listener)
    },
    open: () => void open(),
    close: () => {
      channels.clear()
      void opening?.then((socket) => socket.disconnect())
      opening = undefined
    },
  }
}

async function connect(
  { baseUrl, session, seen, builds }: LiveSettings,
  channels: Map<string, Watched>,
): Promise<Socket> {
  await idle()
  const { io } = await import('socket.io-client')
  const socket = io(baseUrl || location.origin, {
    path: '/socket',
    transports: ['websocket'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 8_000,
    randomizationFactor: 0.5,
    auth: (give) =>
      void session.token().then(
        (token) => give({ token: token ?? '' }),
        () => give({ token: '' }),
      ),
  })
  socket.on('connect', () => {
    for (const [name, watched] of channels) subscribe({ socket, seen }, name, watched)
  })
  // The server closes a socket whose token grew old; the library only comes back by itself when the network broke.
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect' && session.state.status === 'signed-in') socket.connect()
  })
  // Refused: the sign-in has ended, which asking for a new token shows, or there are too many connections.
  socket.on('connect_error', ({ message }) => {
    if (message !== REFUSED) return
    session.forget()
    const again = (): unknown => session.state.status === 'signed-in' && socket.connect()
    void session.token().then(
      (token) => token && setTimeout(again, REFUSED_MS),
      () => setTimeout(again, REFUSED_MS),
    )
  })
  socket.on('build', (build: string) => builds?.note(build))
  socket.on('event', (message: Wire) => {
    // Whoever looks because of it must find it.
    seen.changed()
    receive(channels.get(message.channel), message)
  })
  return socket
}

interface Reply {
  readonly ok: boolean
  /** The service could not answer just now. */
  readonly again?: boolean
  readonly cursor?: number
  readonly reset?: boolean
}

interface Line {
  readonly socket: Socket
  readonly seen: Seen
}

function subscribe(line: Line, channel: string, watched: Watched, tries = 0): void {
  const { socket, seen } = line
  const { id } = socket
  socket.emit(
    'subscribe',
    { channel, ...(watched.cursor === undefined ? {} : { cursor: watched.cursor }) },
    (reply: Reply) => {
      // Another connection subscribes for itself.
      const again = (): unknown => socket.id === id && subscribe(line, channel, watched, tries + 1)
      if (reply.again) setTimeout(again, Math.min(AGAIN_MS * 2 ** tries, AGAIN_MS_MAX) * (0.5 + Math.random() / 2))
      if (!reply.ok) return
      // All up to here has arrived, also where it was nothing.
      watched.cursor = Math.max(watched.cursor ?? 0, reply.cursor ?? 0)
      if (!reply.reset) return
      seen.changed()
      for (const listener of watched.listeners) listener.onReset()
    },
  )
}

/** Drops what came before: an event may arrive by replay and live. */
function receive(watched: Watched | undefined, message: Wire): void {
  if (!watched || watched.seen.has(message.id)) return
  watched.seen.add(message.id)
  watched.cursor = Math.max(watched.cursor ?? 0, message.cursor)
  if (watched.seen.size > SEEN_MAX) for (const id of [...watched.seen].slice(0, SEEN_MAX / 2)) watched.seen.delete(id)
  for (const listener of watched.listeners) listener.onEvent({ id: message.id, payload: message.payload })
}

const IDLE_MS_MAX = 1_000

/** The page comes first: its live connection waits for a quiet moment, where the browser knows one. */
function idle(): Promise<void> {
  if (typeof requestIdleCallback !== 'function') return Promise.resolve()
  return new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout: IDLE_MS_MAX }))
}
