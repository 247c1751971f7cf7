/** The little of PostgreSQL's protocol that a proxy needs. */
export const QUERY = 0x51
export const SYNC = 0x53
export const READY = 0x5a
export const PASSWORD = 0x70
export const TERMINATE = 0x58

type TakeMessage = (type: number | undefined, message: Buffer) => void

/** Cuts a stream into messages; the first one of a client has no type. */
export function createReader(fromClient: boolean, take: TakeMessage): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  let first = fromClient
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let length = lengthOf(rest, first); length !== undefined; length = lengthOf(rest, first)) {
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      take(first ? undefined : message[0], message)
      first = false
    }
  }
}

/** Undefined while the message is not whole. */
function lengthOf(bytes: Buffer, untyped: boolean): number | undefined {
  const head = untyped ? 0 : 1
  const length = bytes.length < head + 4 ? Number.POSITIVE_INFINITY : head + bytes.readUInt32BE(head)
  return bytes.length < length ? undefined : length
}

/** ErrorResponse with the class of an I/O failure, and ready again, still in the transaction. */
export const refusal = Buffer.concat([
  framed('E', 'SERROR\0VERROR\0C58000\0Mthe statement was made to fail\0\0'),
  framed('Z', 'T'),
])

function framed(type: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}
