import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { SECOND } from '@seaworthy/core'

const LINGER_MS = SECOND

/** Whether a body was announced that has not been read to its end. What is asked from within, in a batch, has no connection. */
export const hasUnread = ({ readableEnded, headers, socket }: IncomingMessage): boolean =>
  !readableEnded &&
  socket instanceof Socket &&
  (Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined)

/** Before the next piece: a message that is only paused still reads ahead, one piece or two. */
export function stopReading(incoming: IncomingMessage): void {
  incoming._read = () => undefined
  incoming.pause()
  if (!(incoming.socket instanceof Socket)) return
  // A tick later, as the connection may be about to be resumed in this one.
  process.nextTick(() => incoming.socket.pause())
}

/**
 * Reads nothing more of a body; the answer must say `connection: close`. Node would read all that comes, and close the
 * connection with what it did not: that resets it, and a reset can overtake the answer (RFC 9112, section 9.6). So our
 * half is closed behind the answer, and the other one a second later.
 */
export function leaveUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { socket } = incoming
  stopReading(incoming)
  // Once the answer is out, Node begins to read again.
  outgoing.once('finish', () => process.nextTick(stopReading, incoming))
  socket.destroySoon = () => {
    socket.end()
    const late = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(late))
  }
}
