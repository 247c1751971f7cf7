import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  /** Everything that came back, as Latin-1. */
  readonly text: string
  /** Of every answer in it. */
  readonly statuses: readonly number[]
  /** Of the first answer, lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly closed: boolean
}

/** Sends bytes as they are and collects what comes until the other side closes or nothing came for `quietMs`. */
export function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  quietMs = 300,
  host = '127.0.0.1',
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, host)
    let text = ''
    let closed = false
    let timer: NodeJS.Timeout
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, statuses: statusesOf(text), headers: headersOf(text), closed })
    }
    const restart = (ms: number): void => {
      clearTimeout(timer)
      timer = setTimeout(end, ms)
    }
    socket.on('connect', () => socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      restart(quietMs)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      closed = true
      end()
    })
    restart(Math.max(quietMs, 1_500))
  })
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]))

function headersOf(text: string): Record<string, string> {
  const [head = ''] = text.split('\r\n\r\n')
  return Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => {
        const at = line.indexOf(':')
        return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
      }),
  )
}
