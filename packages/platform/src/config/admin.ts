import { ADMIN, addressOf } from './admin-address.ts'
import { readEnvironment } from './env.ts'

/**
 * Where the admin server of the installation in `directory` answers, without reading or checking any other setting: a
 * health check runs every few seconds and must begin at once.
 */
export function readAdminAddress(directory: string): string {
  const { env } = readEnvironment(directory, ['ADMIN_HOST', 'ADMIN_PORT'])
  return addressOf(env.ADMIN_HOST || ADMIN.host, env.ADMIN_PORT || ADMIN.port)
}
