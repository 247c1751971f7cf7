import { freePort } from './free-port.ts'
import { type Layout, socketPath } from './layout.ts'

/** Where a release answers that is a process of this host: its socket, and a port of its own for metrics. */
export const ownAddress = async (layout: Layout, release: string): Promise<Readonly<Record<string, string>>> => ({
  SOCKET: socketPath(layout, release),
  ADMIN_HOST: '127.0.0.1',
  ADMIN_PORT: String(await freePort()),
})
