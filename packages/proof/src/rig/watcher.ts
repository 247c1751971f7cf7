import { io } from 'socket.io-client'

interface Wire {
  readonly id: number
  readonly payload: Readonly<Record<string, unknown>>
  readonly cursor: number
}

/** Somebody who watches a channel as the pages do: comes back after a break, and goes on from the last event. */
export interface Watcher {
  /** Payloads by the event's id, each once, with when it came. */
  readonly heard: ReadonlyMap<number, { readonly payload: Wire['payload']; readonly atMs: number }>
  /** How often it was let in. */
  entries(): number
  /** How often it was told that nobody knows what it missed. */
  resets(): number
  close(): void
}

/** Resolves when the channel is open. */
export function watch(url: string, token: string, channel: string): Promise<Watcher> {
  const socket = io(url, {
    path: '/socket',
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 8_000,
    auth: { token },
  })
  const heard = new Map<number, { payload: Wire['payload']; atMs: number }>()
  let [entries, resets] = [0, 0]
  let cursor: number | undefined
  socket.on('disconnect', (reason) => reason === 'io server disconnect' && socket.connect())
  socket.on('event', (event: Wire) => {
    cursor = Math.max(cursor ?? 0, event.cursor)
    if (!heard.has(event.id)) heard.set(event.id, { payload: event.payload, atMs: performance.now() })
  })
  return new Promise((resolve, reject) => {
    const enter = (): void => {
      socket.emit(
        'subscribe',
        { channel, ...(cursor === undefined ? {} : { cursor }) },
        (reply: { ok: boolean; cursor?: number; reset?: boolean }) => {
          if (!reply.ok) return reject(new Error(`the channel ${channel} was refused`))
          entries++
          cursor ??= reply.cursor
          if (reply.reset) resets++
          resolve({ heard, entries: () => entries, resets: () => resets, close: () => socket.close() })
        },
      )
    }
    socket.on('connect', enter)
  })
}
