import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'

/** Nobody has a reason to call here: who does was talked into it. */
export interface CanaryServers {
  /** Addresses that lead here, in every notation that some library reads. */
  readonly addresses: readonly string[]
  /** First lines of what came, over TCP or UDP. */
  readonly calls: readonly string[]
  forget(): void
}

/** Listens on every address of this machine, over TCP and UDP. */
export async function openCanaryServers(rig: Rig): Promise<CanaryServers> {
  const port = await freePort()
  const calls: string[] = []
  const note = (bytes: Buffer): void => void calls.push(bytes.toString('latin1').split('\r\n')[0] ?? '')
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.setTimeout(2_000, () => socket.destroy())
    socket.once('data', (bytes) => {
      note(bytes)
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello')
    })
  })
  const udp = createSocket('udp4').on('message', note)
  await new Promise<void>((resolve) => tcp.listen(port, '::', resolve))
  await new Promise<void>((resolve) => udp.bind(port, () => resolve()))
  rig.defer(() => tcp.close())
  rig.defer(() => udp.close())
  return { addresses: addressesOf(port), calls, forget: () => void calls.splice(0) }
}

function addressesOf(port: number): string[] {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const hosts = own.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address)
  const loopback = ['127.0.0.1', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0.0.0.0', '127.8.8.8']
  const sixth = ['[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]']
  return [...loopback, ...sixth, ...hosts].map((host) => `http://${host}:${port}/canary`)
}

/** Addresses at which only the kernel can see that somebody tried: not of this machine, or no HTTP. */
export const farAddresses = [
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://100.100.100.200/latest/meta-data/',
  'http://10.0.0.1/',
  'http://172.16.0.1:8080/',
  'https://192.168.1.1/admin',
  'http://[fe80::1]/',
  'https://canary.invalid/webhook',
  'ftp://canary.invalid/file',
  'gopher://10.0.0.1:6379/_INFO',
  '//canary.invalid/x',
  'canary.invalid',
  'someone@canary.invalid',
] as const
