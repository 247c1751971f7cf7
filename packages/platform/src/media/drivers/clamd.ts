import { createReadStream } from 'node:fs'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { KiB } from '@seaworthy/core'
import type { Scanner, Verdict } from '../scanner.ts'

const PORT = 3310
const CHUNK_BYTES = 64 * KiB
const ANSWER_MAX = KiB
const NAME_MAX = 200

/** clamd of ClamAV, by its own protocol, at `tcp://host:3310` or `unix:/run/clamav/clamd.ctl`. One connection for each file. */
export function openClamd(url: string): Scanner {
  const address = parseClamdUrl(url)
  return {
    scan: async (path, signal) => toVerdict(await ask(address, signal, (socket) => sendFile(socket, path, signal))),
    ping: async (signal) => {
      const answer = await ask(address, signal, async (socket) => void socket.write('zPING\0'))
      if (answer !== 'PONG') throw new Error(`it answers a ping with ${JSON.stringify(answer.slice(0, NAME_MAX))}`)
    },
  }
}

function parseClamdUrl(url: string): NetConnectOpts {
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol === 'unix:') return { path: decodeURIComponent(pathname) }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : PORT }
}

/** Only this one answer says that a file is clean. */
function toVerdict(answer: string): Verdict {
  if (answer === 'stream: OK') return { kind: 'clean' }
  const name = /^stream: (.+) FOUND$/.exec(answer)?.[1]
  if (name) return { kind: 'infected', name: name.slice(0, NAME_MAX) }
  throw new Error(`it answers ${JSON.stringify(answer.slice(0, NAME_MAX))}`)
}

/** The signal ends the connection, whatever it waits for. */
async function ask(address: NetConnectOpts, signal: AbortSignal, send: (socket: Socket) => Promise<void>) {
  const socket = connect({ ...address, signal })
  try {
    const answer = readAnswer(socket)
    // An answer may come before everything is sent: that the file is larger than it takes.
    return await Promise.race([answer, send(socket).then(() => answer)])
  } finally {
    socket.destroy()
  }
}

/** Up to the first NUL. A connection that ends without one has said nothing. */
function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => {
      text += part
      const end = text.indexOf('\0')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > ANSWER_MAX) reject(new Error('its answer has no end'))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('it hung up without an answer')))
  })
}

const sendFile = (socket: Socket, path: string, signal: AbortSignal): Promise<void> =>
  pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), toFrames, socket, { end: false, signal })

/** Each chunk with its length in front, and an empty one at the end. */
async function* toFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from('zINSTREAM\0')
  for await (const chunk of chunks) {
    yield lengthOf(chunk.length)
    yield chunk
  }
  yield lengthOf(0)
}

function lengthOf(bytes: number): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes)
  return head
}
