import { createServer, type Socket } from 'node:net'

/** What the pretended scanner does with a file: a whole answer, or anything else with the socket. */
export type ClamdScript = (file: Buffer, socket: Socket) => string | undefined

export interface FakeClamd {
  readonly url: string
  /** Files that came whole. */
  readonly files: readonly Buffer[]
  /** Open at this moment, and the most there ever were. */
  readonly connections: { now: number; most: number }
  /** From now on. */
  play(script: ClamdScript): void
  close(): Promise<void>
}

/** Speaks clamd's wire format on loopback, or at a path: `zPING`, `zINSTREAM` and chunks with their length in front. */
export async function openFakeClamd(script: ClamdScript = () => 'stream: OK', path?: string): Promise<FakeClamd> {
  const files: Buffer[] = []
  const connections = { now: 0, most: 0 }
  const sockets = new Set<Socket>()
  let current = script
  const answer = (socket: Socket, file: Buffer): void => {
    files.push(file)
    const said = current(file, socket)
    if (said !== undefined) socket.end(`${said}\0`)
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    connections.now++
    connections.most = Math.max(connections.most, connections.now)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      connections.now--
    })
    let received = Buffer.alloc(0)
    socket.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part])
      if (received.equals(Buffer.from('zPING\0'))) socket.end('PONG\0')
      const file = readFile(received)
      if (file) answer(socket, file)
    })
  })
  await new Promise<void>((resolve) =>
    path ? server.listen(path, resolve) : server.listen(0, '127.0.0.1', () => resolve()),
  )
  const address = server.address()
  return {
    url: typeof address === 'object' && address ? `tcp://127.0.0.1:${address.port}` : `unix:${path}`,
    files,
    connections,
    play: (next) => {
      current = next
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

const COMMAND = 'zINSTREAM\0'

/** Undefined until the empty chunk at its end has come. */
function readFile(received: Buffer): Buffer | undefined {
  if (received.subarray(0, COMMAND.length).toString() !== COMMAND) return undefined
  const chunks: Buffer[] = []
  for (let at = COMMAND.length; at + 4 <= received.length; ) {
    const length = received.readUInt32BE(at)
    if (length === 0) return Buffer.concat(chunks)
    if (at + 4 + length > received.length) return undefined
    chunks.push(received.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return undefined
}
