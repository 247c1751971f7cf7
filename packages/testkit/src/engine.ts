import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What the pretended engine does with a question. */
export type EngineReply =
  | {
      readonly text: string
      readonly tokensIn?: number
      readonly tokensOut?: number
      readonly finish?: 'stop' | 'length'
    }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** `hang`: never answers. `reset`: closes the connection at once. `cut`: closes it within the answer. `drip`: a byte now and then. */
  | 'hang'
  | 'reset'
  | 'cut'
  | 'drip'
  /** Valid JSON of another protocol; no JSON; more than anybody reads. */
  | 'foreign'
  | 'garbage'
  | 'huge'

export interface EngineCall {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
  /** Who asked went away before the answer was whole. */
  left: boolean
}

export type EngineScript = (call: EngineCall, number: number) => EngineReply | Promise<EngineReply>

export interface FakeEngine {
  /** For the protocol of OpenAI; Gemini's is below the same address. */
  readonly url: string
  readonly calls: readonly EngineCall[]
  /** From now on. */
  play(script: EngineScript): void
  close(): Promise<void>
}

const DRIP_MS = 50

/** Speaks the wire formats of OpenAI (v0, ASI Cloud, Ollama and vLLM have it too) and of Gemini on loopback, and fails in every way. */
export async function openFakeEngine(script: EngineScript): Promise<FakeEngine> {
  const calls: EngineCall[] = []
  const sockets = new Set<Socket>()
  let current = script
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const call = {
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(Buffer.concat(parts).toString()),
      left: false,
    }
    calls.push(call)
    response.once('close', () => {
      call.left = !response.writableFinished
    })
    const reply = await current(call, calls.length)
    if (typeof reply === 'string') misbehave(reply, call, response)
    else if ('status' in reply) {
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      response.end(reply.body ?? '{"error":{"message":"no","type":"t","code":"c"}}')
    } else if (isStream(call)) sendStream(call, reply, response)
    else send(response, wireOf(call, reply))
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    play: (next) => {
      current = next
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

type Good = Extract<EngineReply, { text: string }>

const isGemini = ({ path }: EngineCall): boolean => path.includes('enerateContent')
const isStream = ({ path, body }: EngineCall): boolean => body.stream === true || path.includes(':stream')

function wireOf(call: EngineCall, { text, tokensIn = 10, tokensOut = 5, finish = 'stop' }: Good): unknown {
  if (isGemini(call))
    return {
      candidates: [
        {
          content: { role: 'model', parts: [{ text }] },
          finishReason: finish === 'stop' ? 'STOP' : 'MAX_TOKENS',
          index: 0,
        },
      ],
      usageMetadata: {
        promptTokenCount: tokensIn,
        candidatesTokenCount: tokensOut,
        totalTokenCount: tokensIn + tokensOut,
      },
      modelVersion: 'fake',
    }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'fake',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }],
    usage: { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: tokensIn + tokensOut },
  }
}

const send = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/** A word in each piece, as they come from a model. */
function sendStream(call: EngineCall, reply: Good, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (data: unknown): boolean => response.write(`data: ${JSON.stringify(data)}\n\n`)
  const { tokensIn = 10, tokensOut = 5, finish = 'stop' } = reply
  for (const word of reply.text.split(/(?<= )/))
    event(
      isGemini(call)
        ? { candidates: [{ content: { role: 'model', parts: [{ text: word }] }, index: 0 }] }
        : {
            id: 'c',
            object: 'chat.completion.chunk',
            created: 1,
            model: 'fake',
            choices: [{ index: 0, delta: { content: word } }],
          },
    )
  if (isGemini(call)) event(wireOf(call, { ...reply, text: '' }))
  else {
    event({
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'fake',
      choices: [{ index: 0, delta: {}, finish_reason: finish }],
    })
    event({
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'fake',
      choices: [],
      usage: { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: tokensIn + tokensOut },
    })
    response.write('data: [DONE]\n\n')
  }
  response.end()
}

function misbehave(how: Extract<EngineReply, string>, call: EngineCall, response: ServerResponse): void {
  if (how === 'reset') response.socket?.resetAndDestroy()
  if (how === 'foreign') send(response, { hello: 'world' })
  if (how === 'hang' || how === 'reset' || how === 'foreign') return
  const whole = JSON.stringify(wireOf(call, { text: 'a word '.repeat(200) }))
  response.writeHead(200, { 'content-type': isStream(call) ? 'text/event-stream' : 'application/json' })
  if (how === 'garbage') response.end('<html>hello</html>')
  else if (how === 'huge') pour(response)
  else breakOff(how, whole, response)
}

function breakOff(how: 'cut' | 'drip', whole: string, response: ServerResponse): void {
  response.write(whole.slice(0, whole.length / 2))
  if (how === 'cut') return void setImmediate(() => response.destroy())
  const timer = setInterval(() => response.write(' '), DRIP_MS)
  response.once('close', () => clearInterval(timer))
}

const HUGE_BYTES = 64 * 1024 * 1024
const CHUNK = Buffer.alloc(64 * 1024, 0x20)

/** As fast as it is taken; who stops reading stops it. */
function pour(response: ServerResponse): void {
  let sent = 0
  const more = (): void => {
    while (sent < HUGE_BYTES && !response.destroyed) {
      sent += CHUNK.length
      if (!response.write(CHUNK)) return void response.once('drain', more)
    }
    response.end()
  }
  more()
}
