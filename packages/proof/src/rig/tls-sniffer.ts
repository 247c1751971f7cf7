import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './ports.ts'

/** A listener on the wire that understands just enough of TLS to tell its records from clear text. */
export interface TlsSniffer {
  readonly port: number
  /** Bytes that anybody on the way could read: all that is in no TLS record, but for the question whether there is TLS. */
  clearBytes(): number
  hiddenBytes(): number
  close(): Promise<void>
}

const SSL_REQUEST_BYTES = 8
const SSL_REQUEST_CODE = 80_877_103
const HEADER_BYTES = 5
const RECORD_BYTES_MAX = 16_384 + 2_048

export async function openTlsSniffer(target: number): Promise<TlsSniffer> {
  const port = await freePort()
  const seen = { clear: 0, hidden: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((outside) => {
    const inside = connect(target, '127.0.0.1')
    for (const [socket, other, take] of [
      [outside, inside, createCounter(seen, isSslRequest)],
      [inside, outside, createCounter(seen, (bytes) => (bytes[0] === 0x53 ? 1 : 0))],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.on('data', (chunk) => {
        take(chunk)
        other.write(chunk)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    clearBytes: () => seen.clear,
    hiddenBytes: () => seen.hidden,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

const isSslRequest = (bytes: Buffer): number =>
  bytes.length >= SSL_REQUEST_BYTES && bytes.readUInt32BE(4) === SSL_REQUEST_CODE ? SSL_REQUEST_BYTES : 0

/** One direction of one connection. `opening` says how many bytes at its begin belong to the question. */
function createCounter(seen: { clear: number; hidden: number }, opening: (bytes: Buffer) => number) {
  let [rest, begun, broken] = [Buffer.alloc(0), false, false]
  return (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk])
    if (!begun) rest = rest.subarray(opening(rest))
    begun = true
    for (let length = recordBytes(rest); !broken && length !== 0; length = recordBytes(rest)) {
      broken = length === undefined
      seen.hidden += length ?? 0
      rest = rest.subarray(length ?? 0)
    }
    if (!broken) return
    seen.clear += rest.length
    rest = Buffer.alloc(0)
  }
}

/** Of the first record; 0 while it is not whole, undefined when these bytes are none. */
function recordBytes(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES) return 0
  const [type = 0, major] = bytes
  const length = HEADER_BYTES + bytes.readUInt16BE(3)
  if (type < 20 || type > 24 || major !== 3 || length > RECORD_BYTES_MAX) return undefined
  return bytes.length < length ? 0 : length
}
