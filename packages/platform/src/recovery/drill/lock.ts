import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * One trial at a time for one place. The kernel keeps the lock, as a name that only one process can listen on, and gives
 * it back however that process went. Throws when another one has it.
 */
export function lockDrill(place: string): Promise<() => void> {
  const name = `seaworthy-drill-${createHash('sha256').update(place).digest('hex').slice(0, 24)}`
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error('Another drill is under way.\n    HINT: wait until it has ended')
          : error,
      ),
    )
    // In the abstract namespace of Linux no file is left behind.
    server.listen(process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`), () =>
      resolve(() => void server.close()),
    )
    server.unref()
  })
}
