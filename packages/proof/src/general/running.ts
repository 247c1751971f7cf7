import { bareEnvironment } from '../rig/environment.ts'
import { type Exit, type KeptProcess, keepProcess } from '../rig/kept-process.ts'
import { freePort } from '../rig/ports.ts'
import { until } from '../rig/wait.ts'
import { send } from './answer.ts'
import type { ConfigFile } from './config.ts'
import { fill, parseRoute } from './route.ts'

/** A process of the app. */
export interface Running {
  readonly url: string
  readonly port: number
  output(): string
  exit(): Exit | undefined
  readonly exited: Promise<Exit>
  signal(name: NodeJS.Signals): Promise<void>
  /** Waits until it answers; throws when it ends before. */
  ready(): Promise<void>
  stop(): Promise<void>
}

const READY_MS = 60_000
const STOP_MS = 30_000

export interface Surroundings {
  readonly provider: string
  /** A folder for its data. */
  readonly data: string
  /** Settings that are other than configured; `undefined` takes one away. */
  readonly change?: Readonly<Record<string, string | undefined>>
}

/** Starts the app on a free port and does not wait. */
export async function launchApp({ config, directory }: ConfigFile, surroundings: Surroundings): Promise<Running> {
  if (!config.start) throw new Error('the configuration has no start')
  const port = /\{port\}/.test(config.url) ? await freePort() : Number(new URL(config.url).port)
  const { provider, data, change } = surroundings
  const values = { port, otherPort: await freePort(), provider, data }
  const [command = '', ...args] = fill(config.start.command, values).split(' ')
  const given = Object.entries(config.start.environment ?? {}).map(([name, value]) => [name, fill(value, values)])
  const env = { ...bareEnvironment(), NODE_ENV: 'production', ...Object.fromEntries(given), ...change }
  const kept = keepProcess(command === 'node' ? process.execPath : command, args, { env, cwd: directory })
  const url = fill(config.url, values)
  return {
    url,
    port,
    output: kept.output,
    exit: kept.exit,
    exited: kept.exited,
    signal: kept.signal,
    ready: () => ready(kept, url, config.health),
    stop: () => stop(kept),
  }
}

async function ready(kept: KeptProcess, url: string, health = 'GET /'): Promise<void> {
  await until(
    'the app answers',
    async () => {
      if (kept.exit()) throw new Error(`the app ended: ${kept.output().slice(-500)}`)
      const { status } = await send(url, { ...parseRoute(health), timeoutMs: 2_000 })
      return status > 0 && status < 500
    },
    READY_MS,
  )
}

async function stop(kept: KeptProcess): Promise<void> {
  await kept.signal('SIGTERM').catch(() => undefined)
  const late = setTimeout(() => void kept.signal('SIGKILL'), STOP_MS)
  await kept.exited
  clearTimeout(late)
}
