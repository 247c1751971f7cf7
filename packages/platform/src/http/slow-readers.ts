import type { Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { KiB, SECOND } from '@seaworthy/core'

const CHECK_MS = 2 * SECOND
const SLOW_CHECKS_MAX = 5
const BYTES_A_CHECK_MIN = 2 * KiB

interface Reader {
  taken: number
  slowChecks: number
}

/**
 * Ends connections of clients that leave an answer unread: who takes less than a kilobyte a second for ten seconds
 * while more waits for it. A timeout of the socket would begin anew with each byte; a connection that is closed and not
 * reset would keep megabytes in the kernel for as long as the client likes. Returns what ends the watch.
 */
export function cutSlowReaders(server: Server): () => void {
  const readers = new Map<Socket, Reader>()
  // Under TLS what is counted is what was encrypted for them.
  server.on(server instanceof SecureServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    readers.set(socket, { taken: 0, slowChecks: 0 })
    socket.once('close', () => readers.delete(socket))
  })
  const timer = setInterval(() => {
    for (const [socket, reader] of readers) if (isTooSlow(socket, reader)) cut(socket)
  }, CHECK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** Only TCP can be reset: under TLS that is the connection below. Of a Unix socket nothing stays in the kernel. */
function cut(socket: Socket): void {
  const below = socket instanceof TLSSocket ? (socket as { readonly _parent?: Socket })._parent : socket
  if (below?.remoteAddress === undefined) socket.destroy()
  else below.resetAndDestroy()
}

function isTooSlow(socket: Socket, reader: Reader): boolean {
  const taken = socket.bytesWritten - socket.writableLength
  const isSlow = socket.writableLength > 0 && taken - reader.taken < BYTES_A_CHECK_MIN
  reader.taken = taken
  reader.slowChecks = isSlow ? reader.slowChecks + 1 : 0
  return reader.slowChecks >= SLOW_CHECKS_MAX
}
