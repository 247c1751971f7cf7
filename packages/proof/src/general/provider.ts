import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the provider does with what it is asked. `slow` takes a moment, `reset` closes the connection. */
type Mood = 'well' | 'slow' | 'failing' | 'hanging' | 'reset'

/** Ours, in the place of the outside provider that the app asks. */
export interface Provider {
  readonly url: string
  /** How often it was asked. */
  calls(): number
  during<T>(mood: Mood, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

const SLOW_MS = 600

export async function openProvider(): Promise<Provider> {
  let [mood, calls]: [Mood, number] = ['well', 0]
  const held = new Set<ServerResponse>()
  const server = createServer((req, res) => {
    calls++
    if (mood === 'hanging') return void held.add(res)
    if (mood === 'reset') return void req.socket.destroy()
    if (mood === 'slow') return void setTimeout(() => void reply(req, res, 'well', calls), SLOW_MS)
    void reply(req, res, mood, calls)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const release = (): void => {
    for (const res of held) res.destroy()
    held.clear()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    during: async (wanted, work) => {
      mood = wanted
      try {
        return await work()
      } finally {
        mood = 'well'
        release()
      }
    },
    close: async () => {
      release()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Gives back what it was asked, so that two different questions have two different answers. */
async function reply(req: IncomingMessage, res: ServerResponse, mood: Mood, call: number): Promise<void> {
  let body = ''
  for await (const chunk of req) body += chunk
  res.writeHead(mood === 'failing' ? 500 : 200, { 'content-type': 'application/json' })
  res.end(JSON.stringify(mood === 'failing' ? { error: 'out of order' } : { call, asked: `${req.url} ${body}` }))
}
