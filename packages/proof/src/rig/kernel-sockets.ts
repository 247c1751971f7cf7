import { readFileSync } from 'node:fs'

/** States in which one side still has to do something: established, and left by the other side. */
const open = new Set(['01', '08'])

/** Connections that the server of this port of loopback still holds, as the kernel tells. */
export const openSockets = (port: number): number => remoteEnds(port).length

const endOf = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`

function remoteEnds(port: number): string[] {
  const end = endOf(port)
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state = '']) => local.endsWith(end) && open.has(state))
    .map(([, , remote = '']) => remote)
}
