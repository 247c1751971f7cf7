import { write, writeSync } from 'node:fs'

/** Lines for standard output, written in batches so that logging never holds anybody up. */
export interface BufferedOutput {
  write(line: string): void
  /** Resolves when everything is written, or nobody reads any more, or half a second is over. */
  flush(): Promise<void>
}

const BATCH_CHARACTERS = 4_096
const WAITING_MAX = 1_048_576
const INTERVAL_MS = 250
const AGAIN_MS = 10
const GIVE_UP_MS = 500
const STDOUT = 1

/** When the reader is slow, at most a megabyte waits and the rest is dropped and counted; when it is gone, all is. */
export function createBufferedOutput(): BufferedOutput {
  let waiting = ''
  let dropped = 0
  let gone = false
  let writing: Promise<void> | undefined

  const drain = async (): Promise<void> => {
    while (waiting && !gone) {
      const bytes = Buffer.from(waiting)
      waiting = ''
      gone = !(await writeAll(bytes))
    }
  }
  const start = (): Promise<void> => {
    // Reset here and not in drain, which ends before it is kept when nothing waits.
    writing ??= drain().finally(() => {
      writing = undefined
    })
    return writing
  }
  setInterval(() => void start(), INTERVAL_MS).unref()
  // A process that dies of an error says its last words, if they can be said at once.
  process.on('exit', () => {
    try {
      if (!gone && waiting) writeSync(STDOUT, waiting)
    } catch {
      // Nobody reads, or the pipe is full.
    }
  })
  return {
    write: (line) => {
      if (gone) return
      if (waiting.length > WAITING_MAX) {
        dropped++
        return
      }
      waiting += `${line}\n`
      if (dropped > 0) {
        waiting += `{"level":"warn","message":"log lines were dropped: the reader is too slow","dropped":${dropped}}\n`
        dropped = 0
      }
      if (waiting.length > BATCH_CHARACTERS) void start()
    },
    flush: () => Promise.race([start(), new Promise<void>((resolve) => setTimeout(resolve, GIVE_UP_MS).unref())]),
  }
}

/** False when nobody reads any more. */
async function writeAll(bytes: Buffer): Promise<boolean> {
  for (let offset = 0; offset < bytes.length; ) {
    const written = await new Promise<number | NodeJS.ErrnoException>((resolve) =>
      write(STDOUT, bytes, offset, (error, count) => resolve(error ?? count)),
    )
    if (typeof written === 'number') offset += written
    else if (written.code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    else return false
  }
  return true
}
