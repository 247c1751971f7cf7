import { type Address, ask } from './ask.ts'
import { environmentOf } from './environment.ts'
import { type Layout, socketPath } from './layout.ts'
import { memoryOf } from './process-mark.ts'
import { noTraffic, readTraffic, type Traffic } from './traffic.ts'

export interface Part {
  readonly name: string
  readonly state: string
  readonly pid?: number
  readonly restarts: number
  readonly memoryBytes: number
}

const ASK_MS = 2_000

/** Through the socket that people's requests take. */
export const isReady = async (layout: Layout, release: string): Promise<boolean> =>
  (await ask({ socketPath: socketPath(layout, release) }, '/health/ready', ASK_MS)).status === 200

/** What its supervisor says of its processes; undefined when it does not answer. */
export async function readParts(layout: Layout, release: string): Promise<readonly Part[] | undefined> {
  const { text } = await ask(adminOf(layout, release), '/health', ASK_MS)
  try {
    const { parts } = JSON.parse(text) as { parts: (Omit<Part, 'memoryBytes'> & Partial<Pick<Part, 'memoryBytes'>>)[] }
    // Releases of before do not say it themselves.
    return parts.map((part) => ({ ...part, memoryBytes: part.memoryBytes ?? (part.pid ? memoryOf(part.pid) : 0) }))
  } catch {
    return undefined
  }
}

export async function readTrafficOf(layout: Layout, release: string): Promise<Traffic> {
  const { status, text } = await ask(adminOf(layout, release), '/metrics', ASK_MS)
  return status === 200 ? readTraffic(text) : noTraffic
}

/** Where it tells its health and metrics. */
export function adminOf(layout: Layout, release: string): Address {
  const { ADMIN_SOCKET, ADMIN_PORT } = environmentOf(layout, { release })
  return ADMIN_SOCKET ? { socketPath: ADMIN_SOCKET } : { port: Number(ADMIN_PORT ?? 0) }
}
