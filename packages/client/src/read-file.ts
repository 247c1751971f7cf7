import { ApiError, offlineProblem } from './problem.ts'

/** What a route that gives a file is asked with. */
export interface FileAsked {
  readonly parseAs: 'stream'
  readonly fetch: (request: Request) => Promise<Response>
  readonly signal: AbortSignal
}

export interface Download {
  /** How many bytes are there so far. The whole is not known before the end. */
  readonly onBytes: (bytes: number) => void
  /** Gives it up. */
  readonly signal: AbortSignal
}

type Answer = Promise<{ data?: ReadableStream<Uint8Array> | null }>

const SILENCE_MS = 60_000
const PIECE_BYTES = 8 * 1024 * 1024

/** Throws `ApiError` when the connection breaks or says nothing for a minute: half a file is none. */
export async function readFile(ask: (signal: AbortSignal) => Answer, { onBytes, signal }: Download): Promise<Blob> {
  const quiet = new AbortController()
  const wait = () => setTimeout(() => quiet.abort(), SILENCE_MS)
  let silence = wait()
  try {
    const { data } = await ask(AbortSignal.any([signal, quiet.signal]))
    if (!data) return new Blob()
    return await gather(data, (bytes) => {
      clearTimeout(silence)
      silence = wait()
      onBytes(bytes)
    })
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error
    throw new ApiError(offlineProblem, { cause: error })
  } finally {
    clearTimeout(silence)
  }
}

/** Large pieces become blobs on the way, which browsers keep on disk. */
async function gather(stream: ReadableStream<Uint8Array>, onBytes: (bytes: number) => void): Promise<Blob> {
  const parts: Blob[] = []
  let [piece, pieceBytes, bytes]: [Uint8Array<ArrayBuffer>[], number, number] = [[], 0, 0]
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (value) {
      piece.push(value as Uint8Array<ArrayBuffer>)
      pieceBytes += value.length
      bytes += value.length
      onBytes(bytes)
    }
    if (done || pieceBytes > PIECE_BYTES) {
      parts.push(new Blob(piece))
      piece = []
      pieceBytes = 0
    }
    if (done) return new Blob(parts)
  }
}
