import { type RequestOptions, request } from 'node:http'

/** What came back, with the request that it answers. */
export interface Answer {
  readonly request: string
  /** 0: none came. */
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  readonly text: string
  readonly ms: number
}

export interface Sending {
  readonly method: string
  readonly path: string
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** An address of loopback to come from. */
  readonly from?: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const SHOWN = 200

/** One request on a connection of its own; follows nothing, never throws. */
export function send(base: string, sending: Sending): Promise<Answer> {
  const { method, path, body, from, timeoutMs = TIMEOUT_MS } = sending
  const started = performance.now()
  const headers: Record<string, string> = { ...sending.headers }
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
  const { hostname, port } = new URL(base)
  const options: RequestOptions = {
    host: hostname.replace(/[[\]]/g, ''),
    port,
    method,
    path,
    headers,
    agent: false,
    ...(from ? { localAddress: from } : {}),
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const end = (status: number, received: Answer['headers']): void => {
      clearTimeout(late)
      const bytes = Buffer.concat(chunks)
      const ms = performance.now() - started
      resolve({ request: show(sending), status, headers: received, bytes, text: bytes.toString(), ms })
    }
    const outgoing = request(options, (incoming) => {
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.once('end', () => end(incoming.statusCode ?? 0, incoming.headers))
      incoming.once('error', () => end(0, {}))
    })
    const late = setTimeout(() => {
      outgoing.destroy()
      end(0, {})
    }, timeoutMs)
    outgoing.on('error', () => end(0, {}))
    outgoing.end(body)
  })
}

function show({ method, path, body, headers = {} }: Sending): string {
  const shown = Object.entries(headers)
    .filter(([name]) => !['authorization', 'cookie', 'content-type'].includes(name))
    .map(([name, value]) => `${name}: ${value}`)
  const text = typeof body === 'string' ? body : body ? `(${body.length} bytes)` : ''
  return crop([`${method} ${path}`, ...shown, text].filter(Boolean).join(' '))
}

export const crop = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}

export const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300

export function headerOf({ headers }: Answer, name: string): string {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : (value ?? '')
}

/** The body parsed; undefined when it is no JSON. */
export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text)
  } catch {
    return undefined
  }
}

/** `user.id` of a JSON body. */
export function pick(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined),
      value,
    )
}

/** The items of a list, whether the body is the list or holds one. */
export function itemsOf(answer: Answer): readonly unknown[] {
  const body = jsonOf(answer)
  if (Array.isArray(body)) return body
  const lists = typeof body === 'object' && body !== null ? Object.values(body).filter(Array.isArray) : []
  return (lists[0] as unknown[] | undefined) ?? []
}
