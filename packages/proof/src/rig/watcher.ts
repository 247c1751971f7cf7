import { io } from 'socket.io-client'
import type { WatcherReport } from './crowd-member.ts'

/** One channel, watched as the pages do it: by cursor, and again after every break. */
export interface Watcher {
  /** The channel is open, and what was missed is here. */
  isOpen(): boolean
  report(): WatcherReport
}

interface Message {
  readonly id: number
  readonly cursor: number
}

interface Answer {
  readonly ok: boolean
  readonly again?: boolean
  readonly cursor?: number
  readonly reset?: boolean
}

const AGAIN_MS = 1_000

export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Resolves when the channel is open. `from` is the address of loopback that it comes from. */
export function openWatcher(url: string, token: string, channel: string, from: string): Promise<Watcher> {
  // The library hands it on to the connection, and its types do not know.
  const options = { localAddress: from }
  const socket = io(url, {
    ...options,
    path: '/socket',
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 2_000,
    auth: { token },
  })
  const heard = new Map<number, number>()
  let [cursor, resets, isLive]: [number | undefined, number, boolean] = [undefined, 0, false]
  const advance = (to = 0): void => {
    cursor = Math.max(cursor ?? 0, to)
  }
  socket.on('event', (message: Message) => {
    if (!heard.has(message.id)) heard.set(message.id, monotonicMs())
    advance(message.cursor)
  })
  socket.on('disconnect', (reason) => {
    isLive = false
    if (reason === 'io server disconnect') socket.connect()
  })
  socket.on('connect_error', () => socket.active || setTimeout(() => socket.connect(), AGAIN_MS))
  return new Promise((resolve) => {
    const subscribe = (id = socket.id): void =>
      void socket.emit('subscribe', { channel, ...(cursor === undefined ? {} : { cursor }) }, (answer: Answer) => {
        if (answer.again) setTimeout(() => socket.id === id && subscribe(id), AGAIN_MS)
        if (!answer.ok) return
        isLive = true
        advance(answer.cursor)
        if (answer.reset) resets++
        resolve({ isOpen: () => isLive, report: () => ({ heard: [...heard], resets }) })
      })
    socket.on('connect', () => subscribe())
  })
}
