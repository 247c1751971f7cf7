import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Rig } from './rig.ts'

interface AskedEngine {
  /** The whole body. */
  readonly text: string
  readonly atMs: number
  /** Who asked went away before the answer was whole. */
  left: boolean
}

/** `wait`: answers when it is told to. `drip`: pieces that never end. */
type EngineMood =
  | { readonly say: string; readonly tokensIn?: number; readonly tokensOut?: number; readonly calls?: boolean }
  | { readonly status: number; readonly retryAfter?: number }
  | 'hang'
  | 'reset'
  | 'cut'
  | 'drip'
  | 'huge'

export interface Engine {
  /** For `OPENAI_API_URL`. */
  readonly url: string
  readonly calls: readonly AskedEngine[]
  /** From now on; a function decides for each. */
  mood(mood: EngineMood | ((call: AskedEngine) => EngineMood | Promise<EngineMood>)): void
}

/** An engine of somebody else, as far as the wire shows: the protocol of OpenAI, on loopback. */
export async function startEngine(rig: Rig): Promise<Engine> {
  const calls: AskedEngine[] = []
  const sockets = new Set<Socket>()
  let current: Parameters<Engine['mood']>[0] = { say: '{"title":"A title"}' }
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const call: AskedEngine = { text: Buffer.concat(parts).toString(), atMs: performance.now(), left: false }
    calls.push(call)
    response.once('close', () => {
      call.left = !response.writableFinished
    })
    reply(typeof current === 'function' ? await current(call) : current, response, call.text.includes('"stream":true'))
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  rig.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    mood: (mood) => {
      current = mood
    },
  }
}

const DRIP_MS = 20
const HUGE = Buffer.alloc(4 * 1024 * 1024, 0x20)

function reply(mood: EngineMood, response: ServerResponse, streamed: boolean): void {
  if (mood === 'hang') return
  if (mood === 'reset') return void response.socket?.resetAndDestroy()
  if (typeof mood === 'object' && 'status' in mood) {
    response.writeHead(mood.status, mood.retryAfter === undefined ? {} : { 'retry-after': String(mood.retryAfter) })
    return void response.end('{"error":{"message":"no"}}')
  }
  response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' })
  if (mood === 'huge') return void response.end(HUGE)
  if (mood === 'cut') return void response.write('{"id":"c","choi', () => response.destroy())
  if (mood === 'drip') drip(response, streamed)
  else response.end(JSON.stringify(wholeOf(mood)))
}

function drip(response: ServerResponse, streamed: boolean): void {
  const piece = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'word ' } }] })}\n\n`
  const timer = setInterval(() => response.write(streamed ? piece : ' '), DRIP_MS)
  response.once('close', () => clearInterval(timer))
}

const toolCall = { id: 't', type: 'function', function: { name: 'transfer_credits', arguments: '{"all":true}' } }

const wholeOf = ({ say, tokensIn = 10, tokensOut = 5, calls = false }: Extract<EngineMood, { say: string }>) => ({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: say, ...(calls ? { tool_calls: [toolCall] } : {}) },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: tokensIn + tokensOut },
})
