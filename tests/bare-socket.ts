import { connect, type Socket } from 'node:net'

/** A connection for live events with no library around it: it can stop reading, and says what it likes. */
export interface BareSocket {
  readonly socket: Socket
  send(packet: string): void
  isOpen(): boolean
}

export function openBareSocket(port: number, token: string): Promise<BareSocket> {
  const socket = connect(port, '127.0.0.1')
  const send = (packet: string): void => void socket.write(frameOf(packet))
  let isOpen = true
  socket.on('error', () => undefined)
  socket.on('close', () => {
    isOpen = false
  })
  socket.write(
    'GET /socket/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2Vhd29ydGh5IHByb29mcw==\r\n\r\n',
  )
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the connection was refused')))
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (text.includes('0{"sid"') && !text.includes('40{"sid"')) send(`40${JSON.stringify({ token })}`)
      if (text.includes('40{"sid"')) resolve({ socket, send, isOpen: () => isOpen })
    })
  })
}

/** As a client sends it, with a mask of zeros. */
function frameOf(text: string): Buffer {
  const { length } = text
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), Buffer.from(text, 'latin1')])
}
