import { isIPv6 } from 'node:net'

/** Where metrics and detailed health are, unless ADMIN_HOST and ADMIN_PORT say something else. */
export const ADMIN = { host: '127.0.0.1', port: '3001' } as const

/** Where an admin server answers. */
export type AdminAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The address at which this machine reaches what listens at `host`; what listens everywhere is on loopback too. */
export function addressOf(host: string, port: number | string): string {
  const reached = everywhere[host] ?? host
  return `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`
}
