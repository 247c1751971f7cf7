import { connect, createServer, type Server, type Socket } from 'node:net'

/** An address at which nobody answers until it is opened; then it leads to another port of loopback. */
export interface Gate {
  open(): Promise<void>
  close(): Promise<void>
}

export function makeGate(port: number, target: number): Gate {
  const sockets = new Set<Socket>()
  const server: Server = createServer((outside) => {
    const inside = connect(target, '127.0.0.1')
    for (const socket of [outside, inside]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        outside.destroy()
        inside.destroy()
      })
    }
    outside.pipe(inside).pipe(outside)
  })
  return {
    open: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, '127.0.0.1', () => resolve())
      }),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
