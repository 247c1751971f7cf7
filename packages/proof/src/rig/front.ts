import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'

export interface Front {
  readonly url: string
  readonly port: number
  /** From now on connections lead to this port; those that are open end, as a proxy ends them after a release has drained. */
  leadTo(port: number): void
}

/** One address for people, behind which releases take turns. It reads nothing of what passes. */
export async function startFront(rig: Rig): Promise<Front> {
  const port = await freePort()
  const open = new Set<Socket>()
  let target = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of open) socket.destroy()
  }
  rig.defer(() => {
    cut()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    leadTo: (next) => {
      target = next
      cut()
    },
  }
}
