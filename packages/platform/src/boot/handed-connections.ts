import type { ChildProcess } from 'node:child_process'
import cluster, { type Worker } from 'node:cluster'

/** What node tells a web process with a connection, and what it hears back: its own words, the same since Node 0.12. */
interface Handed {
  readonly cmd: 'NODE_CLUSTER'
  readonly act?: 'newconn' | (string & {})
  readonly seq?: number
  readonly ack?: number
}
interface Connection {
  close(): void
}

const HEAR_MS = 5
const listening = new WeakSet<Worker>()

/**
 * The supervisor takes every connection and hands it to a web process, which says that it has it. One that is killed before
 * never says so, and node forgets the connection: open, read by nobody, until whoever made it gives up. Nothing of it was
 * read, so it is given to another process, as if this one had refused it; where there is no other it is closed.
 */
export function giveUntakenToOthers(worker: Worker): void {
  const untaken = new Map<number, Connection>()
  const child: Pick<ChildProcess, 'on' | 'emit'> & { send: unknown } = worker.process
  const send = worker.process.send.bind(worker.process) as (...all: unknown[]) => boolean
  child.send = (message: Handed, connection?: Connection, ...rest: unknown[]): boolean => {
    if (message.act === 'newconn' && message.seq !== undefined && connection) untaken.set(message.seq, connection)
    return send(message, connection, ...rest)
  }
  child.on('internalMessage', ({ ack }: Handed) => ack !== undefined && untaken.delete(ack))
  worker.once('listening', () => listening.add(worker))
  // Handed to one that is gone already: it is untaken, and no fault of the supervisor.
  worker.on('error', () => undefined)
  worker.process.once('exit', () => {
    listening.delete(worker)
    whenHeard(worker, () => {
      // Else the cluster module may go on to choose a process that died with a connection on its way: it waits for an answer.
      worker.disconnect()
      const isAnother = Object.values(cluster.workers ?? {}).some((other) => other && listening.has(other))
      for (const [seq, connection] of [...untaken]) {
        if (isAnother) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false })
        else connection.close()
      }
    })
  })
}

/** What a process said before its end may be read after it. */
function whenHeard(worker: Worker, then: () => void): void {
  if (worker.isConnected()) setTimeout(() => whenHeard(worker, then), HEAR_MS)
  else then()
}
