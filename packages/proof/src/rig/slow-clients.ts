import { mkdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import type { Rig } from './rig.ts'

export interface SlowClients {
  /** Most connections that were open at the same time. */
  readonly peak: number
  /** When the last of them was cut, in seconds from the start of the test; the whole length when some were not. */
  readonly cutSeconds: number
  readonly end: string
}

export interface SlowClientsSettings {
  /** Of the test, for its files. */
  readonly name: string
  readonly connections: number
  /** New connections in a second. */
  readonly perSecond: number
  /** The test ends then, whatever is still open. */
  readonly seconds: number
  /** Mode, address and what belongs to them, as slowhttptest wants it. */
  readonly args: readonly string[]
}

/** Many clients that hold a connection with as little as possible. The claim needs `slowhttptest`. */
export async function sendSlowClients(
  rig: Rig,
  { name, connections, perSecond, seconds, args }: SlowClientsSettings,
): Promise<SlowClients> {
  const directory = join(rig.scratch, `slow-${name}`)
  mkdirSync(directory)
  const limits = ['-c', String(connections), '-r', String(perSecond), '-l', String(seconds), '-p', '3']
  const test = keepProcess(rig.program('slowhttptest'), [...args, ...limits, '-g', '-o', 'out'], {
    env: bareEnvironment(),
    cwd: directory,
  })
  rig.defer(async () => {
    await test.signal('SIGKILL')
    await test.exited
  })
  await test.exited
  const output = test.output()
  // Its exit code is 0 in every case; its last words say how it ended.
  return {
    peak: Math.max(...readConnected(join(directory, 'out.csv'))),
    cutSeconds: Number(/Test ended on (\d+)/.exec(output)?.[1] ?? Number.NaN),
    end: /Exit status:\W*(?:\[\d+m)*([^\n]*)/.exec(output)?.[1]?.trim() ?? 'no last words',
  }
}

/** Columns: seconds, closed, pending, connected, available. */
const readConnected = (path: string): number[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[3]))

export interface UnreadWatch {
  /** Most connections at the same time with bytes that the client does not take. */
  readonly peak: number
  /** From the moment of the peak until the last of them was gone. */
  readonly goneSeconds: number
}

const WATCH_STEP_MS = 250
const QUEUE_BYTES_MIN = 32 * 1_024

/** What the kernel keeps for clients of `port` that do not read: some programs do not notice that they were cut. */
export async function watchUnread(port: number, seconds: number): Promise<UnreadWatch> {
  const started = performance.now()
  let peak = 0
  let [peakAt, lastAt] = [0, 0]
  for (let at = 0; at < seconds; at = (performance.now() - started) / 1_000) {
    const unread = await countUnread(port)
    if (unread > peak) [peak, peakAt] = [unread, at]
    if (unread > 0) lastAt = at
    await new Promise((resolve) => setTimeout(resolve, WATCH_STEP_MS))
  }
  return { peak, goneSeconds: lastAt - peakAt }
}

/** Columns of `/proc/net/tcp`: number, local address, remote address, state, bytes to send and to receive. */
async function countUnread(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, own, , , queues = '']) => own?.endsWith(local) && Number.parseInt(queues, 16) > QUEUE_BYTES_MIN).length
}
