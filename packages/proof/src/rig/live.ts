import { io } from 'socket.io-client'

interface LiveEvent {
  readonly channel: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface LiveSocket {
  /** Let in or refused, with the reason. */
  readonly outcome: string
  /** Everything that came, whatever it is called, but for the name of the build. */
  readonly heard: readonly LiveEvent[]
  isOpen(): boolean
  /** True when the service says that it is open. */
  subscribe(request: unknown): Promise<boolean>
  close(): void
}

export interface LiveOptions {
  readonly token?: unknown
  readonly origin?: string
  readonly transports?: string[]
  readonly reconnects?: boolean
  /** Of the authority that signed what the service shows. */
  readonly ca?: string
}

const ANSWER_MS = 3_000

/** A socket as the pages open it, or as somebody would who wants more. */
export function openLive(
  url: string,
  { token, origin, transports = ['websocket'], reconnects = false, ca }: LiveOptions,
): Promise<LiveSocket> {
  const socket = io(url, {
    path: '/socket',
    transports,
    forceNew: true,
    reconnection: reconnects,
    reconnectionDelay: 500,
    reconnectionDelayMax: 8_000,
    timeout: ANSWER_MS,
    ...(token === undefined ? {} : { auth: { token } }),
    ...(ca === undefined ? {} : { ca }),
    ...(origin === undefined ? {} : { extraHeaders: { origin } }),
  })
  // As the pages do: the library comes back by itself only when the network broke.
  if (reconnects) socket.on('disconnect', (reason) => reason === 'io server disconnect' && socket.connect())
  const heard: LiveEvent[] = []
  // Which pages the service gives out is told to whoever connects, and is of nobody.
  socket.onAny((name: string, event: LiveEvent) => {
    if (name !== 'build') heard.push(event)
  })
  return new Promise((resolve) => {
    const settle = (outcome: string): void =>
      resolve({
        outcome,
        heard,
        isOpen: () => socket.connected,
        subscribe: async (request) => {
          const answer: unknown = await socket
            .timeout(ANSWER_MS)
            .emitWithAck('subscribe', request)
            .catch(() => undefined)
          return typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true
        },
        close: () => socket.close(),
      })
    socket.once('connect', () => settle('open'))
    socket.once('connect_error', (error) => settle(error.message))
  })
}
