import { readFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from './host.ts'
import { type LiveSocket, openLive } from './live.ts'
import { PASSWORD } from './person.ts'

/** What people do to a host that speaks TLS, over connections that are kept. No request is sent twice. */
export interface HostLoad {
  /** The token of a new person. */
  signUp(): Promise<string>
  /** The status; 0 when none came. */
  get(path: string, token?: string): Promise<number>
  /** A photo that comes piece by piece over so long. */
  upload(token: string, photo: Uint8Array, overMs: number): Promise<number>
  /** One that comes back by itself, as the pages do. */
  socket(token: string): Promise<LiveSocket>
}

const PIECES = 6
const CONNECTIONS = 64
const ANSWER_MS = 30_000

export function openHostLoad({ url, authority = '' }: Pick<Host, 'url' | 'authority'>): HostLoad {
  const ca = readFileSync(authority, 'utf8')
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca })
  const headers = (token?: string): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {})
  const statusOf = async (asked: Promise<Answered>): Promise<number> => (await asked).status
  return {
    signUp: async () => {
      const body = JSON.stringify({
        email: `person-${process.pid}-${Date.now()}-${++people}@example.com`,
        password: PASSWORD,
      })
      const how = { agent, method: 'POST', headers: { 'content-type': 'application/json' } }
      const { status, text } = await send(`${url}/api/identity/sign-up`, how, async (end, write) => {
        write(Buffer.from(body))
        end()
      })
      if (status !== 201 && status !== 200) throw new Error(`a sign-up was answered with ${status}: ${text}`)
      return (JSON.parse(text) as { accessToken: string }).accessToken
    },
    get: (path, token) => statusOf(send(`${url}${path}`, { agent, headers: headers(token) }, async (end) => end())),
    upload: (token, photo, overMs) =>
      statusOf(
        send(
          `${url}/api/cosnap/photos?name=slow.jpg`,
          { agent, method: 'POST', headers: { ...headers(token), 'content-length': photo.length } },
          async (end, write) => {
            const size = Math.ceil(photo.length / PIECES)
            for (let at = 0; at < photo.length; at += size) {
              write(photo.subarray(at, at + size))
              await sleep(overMs / PIECES)
            }
            end()
          },
        ),
      ),
    socket: (token) => openLive(url, { token, reconnects: true, ca }),
  }
}

let people = 0

interface Answered {
  readonly status: number
  readonly text: string
}

type Send = (end: () => void, write: (piece: Uint8Array) => void) => Promise<void>

function send(url: string, options: RequestOptions, body: Send): Promise<Answered> {
  return new Promise((resolve) => {
    const none = (): void => resolve({ status: 0, text: '' })
    const outgoing = request(url, { ...options, timeout: ANSWER_MS }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.once('error', none)
    })
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', none)
    void body(
      () => outgoing.end(),
      (piece) => void outgoing.write(piece),
    )
  })
}
