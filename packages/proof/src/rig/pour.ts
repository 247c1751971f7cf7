import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

export interface Poured {
  /** Of the first answer; 0 when none came. */
  readonly status: number
  /** Bytes behind the head that we had to give, or gave until the connection was gone. */
  readonly offered: number
}

const PATIENCE_MS = 30_000

/** Sends a head, and pieces behind it as fast as they are taken, until the other side closes: it does not listen meanwhile. */
export function pour(port: number, head: string, pieces: Iterable<Uint8Array>): Promise<Poured> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const left = pieces[Symbol.iterator]()
    let [text, offered, isAll] = ['', 0, false]
    const endWhenAnswered = (): void => {
      if (isAll && text) socket.end()
    }
    const next = (): void => {
      for (let goesOn = true; goesOn && !isAll; ) {
        const { value, done } = left.next()
        isAll = done === true
        if (done) break
        offered += value.length
        goesOn = socket.write(value)
      }
      endWhenAnswered()
    }
    socket.on('connect', () => {
      socket.write(head)
      next()
    })
    socket.on('drain', next)
    socket.on('data', (chunk) => {
      if (text.length < 16) text += chunk.toString('latin1')
      endWhenAnswered()
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), offered }))
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  })
}

/** What a process has read in all, from sockets and files, as the kernel counts. */
export const bytesReadBy = (pid: number): number =>
  Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
