import { request } from 'node:http'

export interface VisitorAnswer {
  readonly status: number
  readonly bytes: Buffer
  /** Throws when it is not JSON. */
  json<T>(): T
}

/** Somebody at a service, by its Unix socket as a proxy would come. */
export interface Visitor {
  send(
    method: string,
    path: string,
    body?: Uint8Array | object,
    headers?: Record<string, string>,
  ): Promise<VisitorAnswer>
}

export interface VisitorSettings {
  readonly socketPath: string
  /** What a proxy says of the visitor. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export function openVisitor({ socketPath, headers: always, timeoutMs }: VisitorSettings): Visitor {
  return {
    send: (method, path, body, given = {}) => {
      const isBytes = body instanceof Uint8Array
      const bytes = body === undefined ? undefined : isBytes ? body : JSON.stringify(body)
      const type = body === undefined ? {} : { 'content-type': isBytes ? 'image/png' : 'application/json' }
      const length = bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) }
      return new Promise((resolve, reject) => {
        const headers = { ...always, ...type, ...length, ...given }
        const outgoing = request(
          { socketPath, method, path, headers, agent: false, timeout: timeoutMs },
          (incoming) => {
            const chunks: Buffer[] = []
            incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
            incoming.once('error', reject)
            incoming.once('end', () => resolve(answerOf(incoming.statusCode ?? 0, Buffer.concat(chunks))))
          },
        )
        outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)))
        outgoing.once('error', reject)
        outgoing.end(bytes)
      })
    },
  }
}

const answerOf = (status: number, bytes: Buffer): VisitorAnswer => ({
  status,
  bytes,
  json: () => JSON.parse(bytes.toString()),
})
