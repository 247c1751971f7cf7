import { fault, MiB } from '@seaworthy/core'

export interface OutgoingSettings {
  /** Where may be asked: the address starts with one of these. From settings, never from what somebody sent. */
  readonly bases: readonly string[]
  /** Of an answer; more is not read. */
  readonly bytesMax?: number
}

export class TooLongError extends Error {
  constructor(bytesMax: number) {
    super(`the answer is longer than ${bytesMax} bytes`)
    this.name = 'TooLongError'
  }
}

const BYTES_MAX = MiB

/**
 * `fetch` for services of others: only to the addresses of the settings, never on to where a redirect leads, and an answer
 * is read up to its bound. Throws `TooLongError` while the body is read.
 */
export function openOutgoing({ bases, bytesMax = BYTES_MAX }: OutgoingSettings): typeof fetch {
  const allowed = bases.map((base) => new URL(`${base.replace(/\/+$/, '')}/`))
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (!allowed.some(({ origin, pathname }) => url.origin === origin && url.pathname.startsWith(pathname)))
      throw fault('internal', { internal: `${url.origin} is not an address of the settings` })
    const response = await fetch(input, { ...init, redirect: 'error' })
    if (!response.body) return response
    const { status, statusText, headers } = response
    return new Response(response.body.pipeThrough(bounded(bytesMax)), { status, statusText, headers })
  }
}

function bounded(bytesMax: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0
  return new TransformStream({
    transform: (chunk, controller) => {
      bytes += chunk.length
      if (bytes > bytesMax) controller.error(new TooLongError(bytesMax))
      else controller.enqueue(chunk)
    },
  })
}
