import { request } from 'node:http'

/** Where something answers HTTP: a Unix socket, or a port of loopback. */
export type Address = { readonly socketPath: string } | { readonly port: number }

export interface Answer {
  /** 0 when none came in time. */
  readonly status: number
  readonly text: string
}

const none: Answer = { status: 0, text: '' }

/** GET over a connection of its own. Never throws: who does not answer has status 0. */
export function ask(address: Address, path: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const late = setTimeout(() => outgoing.destroy(), timeoutMs)
    const end = (answer: Answer): void => {
      clearTimeout(late)
      resolve(answer)
    }
    const where = 'port' in address ? { host: '127.0.0.1', port: address.port } : address
    const outgoing = request({ ...where, path, agent: false, headers: { host: 'localhost' } }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.once('end', () => end({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      incoming.once('error', () => end(none))
    })
    outgoing.once('error', () => end(none))
    outgoing.once('close', () => end(none))
    outgoing.end()
  })
}
