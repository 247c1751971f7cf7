import { connect, type Socket } from 'node:net'

/** A WebSocket for live events with nothing around it: thousands fit in one process, and it can stop reading. */
export interface BareLive {
  /** Our end, as the kernel knows it. */
  readonly clientPort: number
  isOpen(): boolean
  readonly closed: Promise<void>
  subscribe(channel: string): Promise<void>
  /** Takes nothing more, and keeps the connection. */
  stopReading(): void
  close(): void
}

const PATIENCE_MS = 20_000
const PING = Buffer.from([0x81, 0x01, 0x32])
const PONG = frameOf('3')

/** Lets itself in with a token, from an address of loopback. Throws when it is refused. */
export async function openBareLive(port: number, token: string, from = '127.0.0.1'): Promise<BareLive> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.setNoDelay(true)
  let [open, text] = [true, '']
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      open = false
      resolve()
    })
  })
  socket.on('data', (chunk) => {
    // What comes by itself is not kept, but for the last words.
    text = (text + chunk.toString('latin1')).slice(-4_096)
    if (chunk.subarray(-PING.length).equals(PING)) socket.write(PONG)
  })
  socket.write(
    `GET /socket/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2Vhd29ydGh5IHByb29mcw==\r\n\r\n`,
  )
  await answer(socket, () => text.includes('0{"sid"'))
  socket.write(frameOf(`40${JSON.stringify({ token })}`))
  await answer(socket, () => text.includes('40{"sid"'))
  return {
    clientPort: socket.localPort ?? 0,
    isOpen: () => open,
    closed,
    subscribe: async (channel) => {
      socket.write(frameOf(`420${JSON.stringify(['subscribe', { channel }])}`))
      await answer(socket, () => text.includes('430['))
    },
    stopReading: () => void socket.pause(),
    close: () => socket.destroy(),
  }
}

/** Of a client, with a mask of zeros. */
function frameOf(text: string): Buffer {
  const { length } = text
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), Buffer.from(text, 'latin1')])
}

function answer(socket: Socket, isThere: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(timer)
      socket.off('data', look)
      socket.off('close', fail)
      if (error) reject(error)
      else resolve()
    }
    const look = (): void => {
      if (isThere()) end()
    }
    const fail = (): void => end(new Error('the live connection was refused'))
    const timer = setTimeout(() => end(new Error('the live connection got no answer')), PATIENCE_MS)
    socket.on('data', look)
    socket.on('close', fail)
  })
}
