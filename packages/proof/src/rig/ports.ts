import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that connections going out take: nobody sits on ours while a stack is away to start again. */
const [FIRST, LAST] = [12_000, 30_000]

/** A port of loopback that nobody uses now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
