import type { Socket } from 'node:net'
import { MINUTE, MiB } from '@seaworthy/core'

/** A connection as its library shows it. */
export interface Connection {
  on(event: 'packetCreate', listener: (packet: { data?: { length: number } }) => void): unknown
  on(event: 'flush' | 'packet', listener: () => void): unknown
  close(discard: boolean): unknown
  readonly transport: unknown
}

export type CutReason = 'unread' | 'messages'

/** A reader that leaves this much unread is cut off; it comes back and catches up by its cursor. */
const UNREAD_BYTES_MAX = MiB
/** A page sends one for each channel that it watches, and one for each ping. */
const MESSAGES_A_MINUTE_MAX = 200

/**
 * Keeps what one connection may cost within bounds. Whatever is sent to it, an event or an answer, is measured when it
 * is made, so that no way of asking leaves more unread than the limit; and a connection that asks without end is cut.
 */
export function boundTraffic(connection: Connection, onCut: (why: CutReason) => void): void {
  // While one message is on its way the library keeps those that follow, without a limit of its own.
  let [queuedBytes, messages, sinceMs, isCut] = [0, 0, performance.now(), false]
  const end = (why: CutReason): void => {
    if (isCut) return
    isCut = true
    cut(connection)
    onCut(why)
  }
  connection.on('packetCreate', ({ data }) => {
    queuedBytes += data?.length ?? 0
    if (queuedBytes + sentBytes(connection) > UNREAD_BYTES_MAX) end('unread')
  })
  connection.on('flush', () => {
    queuedBytes = 0
  })
  connection.on('packet', () => {
    const now = performance.now()
    if (now - sinceMs > MINUTE) [messages, sinceMs] = [0, now]
    if (++messages > MESSAGES_A_MINUTE_MAX) end('messages')
  })
}

interface RawTransport {
  readonly socket?: { readonly bufferedAmount?: number; readonly _socket?: Socket | null }
}

const rawOf = ({ transport }: Connection) => (transport as RawTransport).socket

const sentBytes = (connection: Connection): number => rawOf(connection)?.bufferedAmount ?? 0

/**
 * At once. A polite end waits until the reader has taken all of it, which a slow one does not; and a connection that is
 * closed and not reset keeps what is unread in the kernel for as long as the reader likes.
 */
function cut(connection: Connection): void {
  const raw = rawOf(connection)?._socket
  connection.close(true)
  raw?.resetAndDestroy()
}
