import { type ChildProcess, fork } from 'node:child_process'
import cluster, { type Worker } from 'node:cluster'
import { createInterface } from 'node:readline'
import { backoffMs, pause, SECOND } from '@seaworthy/core'
import { childEnvironment } from '../config/index.ts'
import type { Endpoint } from '../data/index.ts'
import { asLogLine } from '../telemetry/index.ts'
import { type FromChild, REPLACEMENT, type ToChild } from './child-link.ts'
import { giveUntakenToOthers } from './handed-connections.ts'

type ChildState = 'starting' | 'ready' | 'restarting' | 'stopped'

export interface ChildView {
  readonly name: string
  readonly state: ChildState
  readonly pid: number | undefined
  readonly restarts: number
}

/** A process that is started again whenever it ends without having been told to. */
export interface SupervisedChild {
  readonly role: 'web' | 'worker'
  view(): ChildView
  /** Now, and at each later start: the database is there. */
  go(endpoint: Endpoint): void
  /** The database is elsewhere now: it starts again to find it there. */
  move(endpoint: Endpoint): void
  /** Ends and starts at once: its program has changed. Resolves when it is ready, which a broken program never is. */
  reload(): Promise<void>
  metrics(): Promise<unknown[] | undefined>
  /** Resolves when it is gone; at the deadline it is killed. */
  stop(deadlineMs: number): Promise<void>
  kill(): void
}

export interface ChildSettings {
  readonly role: 'web' | 'worker'
  readonly name: string
  /** The program that runs the role: `node <entry> <role>`. */
  readonly entry: string
  readonly execArgv: readonly string[]
  /** Variables that the process gets instead of ours. */
  readonly environment: Record<string, string>
  readonly onLine: (line: string) => void
  readonly onReady: () => void
  readonly onListening?: (port: number) => void
  /** The child says that it can never start like this. */
  readonly onFatal: (message: string) => void
  readonly onRestart: (name: string, code: string) => void
}

const RESTART_BASE_MS = 100
const RESTART_MAX_MS = 5 * SECOND
const STEADY_MS = 10 * SECOND
const ASK_MS = SECOND

export function superviseChild(settings: ChildSettings): SupervisedChild {
  let state: ChildState = 'starting'
  let child: ChildProcess | undefined
  let restarts = 0
  let failuresInARow = 0
  let reloading = false
  let onceReady: () => void = () => undefined
  let endpoint: Endpoint | undefined

  const send = (message: ToChild): void => {
    if (child?.connected) child.send(message, () => undefined)
  }
  const questions = createQuestions(send)
  const hear = (message: FromChild): void => {
    if (message.kind === 'hello') {
      if (endpoint) send({ kind: 'go', endpoint })
    } else if (message.kind === 'ready') {
      state = 'ready'
      onceReady()
      settings.onReady()
    } else if (message.kind === 'listening') settings.onListening?.(message.port)
    else if (message.kind === 'fatal') settings.onFatal(message.message)
    else questions.answer(message.ask, message.snapshot)
  }
  const start = (): void => {
    const startedAt = Date.now()
    child = startProcess(settings, child !== undefined)
    passLines(child, settings)
    child.on('message', hear)
    child.once('exit', (code, signal) => void restart(startedAt, signal ?? String(code)))
  }
  const restart = async (startedAt: number, code: string): Promise<void> => {
    if (state === 'stopped') return
    if (reloading) {
      reloading = false
      return start()
    }
    state = 'restarting'
    restarts++
    failuresInARow = Date.now() - startedAt > STEADY_MS ? 1 : failuresInARow + 1
    settings.onRestart(settings.name, code)
    await pause(backoffMs(failuresInARow, RESTART_BASE_MS, RESTART_MAX_MS))
    if ((state as ChildState) !== 'stopped') start()
  }
  const startAnew = (): Promise<void> => {
    reloading = true
    child?.kill('SIGTERM')
    return new Promise((resolve) => {
      onceReady = resolve
    })
  }
  start()
  return {
    role: settings.role,
    view: () => ({ name: settings.name, state, pid: child?.pid, restarts }),
    go: (to) => {
      endpoint = to
      send({ kind: 'go', endpoint })
    },
    reload: startAnew,
    move: (to) => {
      endpoint = to
      state = 'restarting'
      void startAnew()
    },
    metrics: questions.ask,
    stop: (deadlineMs) => {
      state = 'stopped'
      return stopProcess(child, send, deadlineMs)
    },
    kill: () => {
      state = 'stopped'
      child?.kill('SIGKILL')
    },
  }
}

function passLines({ stdout, stderr }: ChildProcess, { name, onLine }: ChildSettings): void {
  for (const stream of [stdout, stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => onLine(asLogLine(line, name)))
}

/** Questions about metrics and their answers; who does not answer within a second has none. */
function createQuestions(send: (message: ToChild) => void) {
  let asked = 0
  const open = new Map<number, (snapshot: unknown[] | undefined) => void>()
  return {
    ask: (): Promise<unknown[] | undefined> => {
      const ask = ++asked
      return new Promise((resolve) => {
        const timer = setTimeout(() => open.get(ask)?.(undefined), ASK_MS)
        open.set(ask, (snapshot) => {
          clearTimeout(timer)
          open.delete(ask)
          resolve(snapshot)
        })
        send({ kind: 'metrics', ask })
      })
    },
    answer: (ask: number, snapshot: unknown[]): void => open.get(ask)?.(snapshot),
  }
}

/** Web processes share one port through the cluster module; others are plain children. */
function startProcess({ role, entry, execArgv, environment }: ChildSettings, isReplacement: boolean): ChildProcess {
  if (role === 'worker')
    return fork(entry, [role], {
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment(environment),
      serialization: 'json',
    })
  cluster.setupPrimary({
    exec: entry,
    args: isReplacement ? [role, REPLACEMENT] : [role],
    execArgv: [...execArgv],
    silent: true,
    serialization: 'json',
  })
  const worker: Worker = cluster.fork(childEnvironment(environment))
  giveUntakenToOthers(worker)
  return worker.process
}

async function stopProcess(
  child: ChildProcess | undefined,
  send: (message: ToChild) => void,
  deadlineMs: number,
): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  send({ kind: 'stop' })
  const late = new AbortController()
  await Promise.race([gone, pause(deadlineMs, late.signal).then(() => late.signal.aborted || child.kill('SIGKILL'))])
  late.abort()
  await gone
}
