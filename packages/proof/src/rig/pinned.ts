import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Agent, request } from 'node:http'

/** A connection that stays open: everything asked over it is answered by the same process. */
export interface Pinned {
  readonly pid: number
  ask(path: string, options?: PinnedOptions): Promise<number>
  close(): void
}

interface PinnedOptions {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

const TRIES_MAX = 60

/** One connection to each of these processes, which share the port. */
export async function pinEach(port: number, pids: readonly number[]): Promise<Pinned[]> {
  const pins = new Map<number, Pinned>()
  for (let tries = 0; pins.size < pids.length && tries < TRIES_MAX; tries++) {
    const { clientPort, ...pin } = await open(port)
    const pid = ownerOf(port, clientPort, pids)
    if (pid === undefined || pins.has(pid)) pin.close()
    else pins.set(pid, { pid, ...pin })
  }
  if (pins.size < pids.length) throw new Error(`only ${pins.size} of ${pids.length} processes were reached`)
  return [...pins.values()]
}

async function open(port: number): Promise<Omit<Pinned, 'pid'> & { readonly clientPort: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let clientPort = 0
  const ask: Pinned['ask'] = (path, { method = 'GET', token, headers: more = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const headers = { ...more, ...(token ? { authorization: `Bearer ${token}` } : {}) }
      const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      })
      outgoing.once('socket', (socket) => {
        const note = (): void => {
          clientPort = socket.localPort ?? 0
        }
        if (socket.connecting) socket.once('connect', note)
        else note()
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  await ask('/health/live')
  return { clientPort, ask, close: () => agent.destroy() }
}

/** Whose the server's end of a connection of loopback is, as the kernel tells. */
function ownerOf(serverPort: number, clientPort: number, pids: readonly number[]): number | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
  const ends = `:${hex(serverPort)} 0100007F:${hex(clientPort)} `
  const inode = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((line) => line.includes(ends))
    ?.trim()
    .split(/\s+/)[9]
  return pids.find((pid) => readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(pid, fd) === `socket:[${inode}]`))
}

function linkOf(pid: number, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}
