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

/** Of clients at one address of loopback: what the kernel holds for each on both sides, in bytes. Only whoever the server still serves. */
export function heldByKernel(port: number, from: string): number[] {
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const server = `${hexOf('127.0.0.1')}${endOf(port)}`
  const client = `${hexOf(from)}:`
  const received = new Map(
    rows
      .filter(([, local = '', remote]) => local.startsWith(client) && remote === server)
      .map(([, local, , , queues = '']) => [local, Number.parseInt(queues.split(':')[1] ?? '0', 16)]),
  )
  return rows
    .filter(([, local, remote = '', state]) => local === server && remote.startsWith(client) && state === '01')
    .map(([, , remote, , queues = '']) => Number.parseInt(queues, 16) + (received.get(remote) ?? 0))
}

/** As `/proc/net/tcp` writes it on machines of our byte order. */
const hexOf = (address: string): string =>
  address
    .split('.')
    .reverse()
    .map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'))
    .join('')
