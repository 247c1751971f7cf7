import { ADMIN, type AdminAddress, addressOf } from './admin-address.ts'
import { readEnvironment } from './env.ts'

/**
 * Where the admin server of the installation in `directory` answers, without reading or checking any other setting: a
 * health check runs every few seconds and must begin at once. `name` is for people.
 */
export function readAdminAddress(directory: string): { readonly name: string; readonly address: AdminAddress } {
  const { env } = readEnvironment(directory, ['ADMIN_HOST', 'ADMIN_PORT', 'ADMIN_SOCKET'])
  if (env.ADMIN_SOCKET) return { name: env.ADMIN_SOCKET, address: { socketPath: env.ADMIN_SOCKET } }
  const name = addressOf(env.ADMIN_HOST || ADMIN.host, env.ADMIN_PORT || ADMIN.port)
  const { hostname, port } = new URL(name)
  return { name, address: { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) } }
}
