import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Newcomer } from './service.ts'
import { signUp } from './service.ts'
import { until } from './wait.ts'

/** The built product, started as an operator starts it, in a directory of its own. */
export interface Installation {
  readonly url: string
  readonly adminUrl: string
  readonly dataDirectory: string
  readonly output: () => string
  /** Of `web`, `worker`, `database` or `supervisor`. */
  pid(part: string): Promise<number>
  /** The exit code; undefined while it runs. */
  exitCode(): number | undefined
  /** Ended by itself or by a signal. */
  hasEnded(): boolean
  ready(): Promise<void>
  newcomer(): Promise<Newcomer>
  /** Starts again on the same data and ports. */
  restart(): Promise<void>
  signal(name: NodeJS.Signals): void
  close(): Promise<void>
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const launcher = join(root, 'packages', 'cli', 'bin', 'seaworthy.js')

export interface InstallationSettings {
  readonly environment?: Record<string, string>
  readonly dataDirectory?: string
  /** Do not wait until it is ready: it is meant to fail. */
  readonly mayFail?: boolean
}

export async function openInstallation({
  environment = {},
  dataDirectory,
  mayFail,
}: InstallationSettings = {}): Promise<Installation> {
  const directory = dataDirectory ?? mkdtempSync(join(tmpdir(), 'seaworthy-installation-'))
  const [port, adminPort] = [await freePort(), await freePort()]
  const generous = {
    RATE_LIMIT_MAX: '100000',
    AUTH_RATE_LIMIT_MAX: '100000',
    UPLOAD_RATE_LIMIT_MAX: '100000',
    EFFECTS_RATE_LIMIT_MAX: '100000',
  }
  let output = ''
  let child: ChildProcess
  const start = (): void => {
    child = spawn(process.execPath, [launcher, 'start'], {
      // Not the runner's NODE_ENV and NODE_OPTIONS: an operator has none of them.
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        LOG_FORMAT: 'json',
        PORT: String(port),
        ADMIN_PORT: String(adminPort),
        DATA_DIR: directory,
        ...generous,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        output += chunk
      })
  }
  const adminUrl = `http://127.0.0.1:${environment.ADMIN_PORT ?? adminPort}`
  const url = `http://127.0.0.1:${environment.PORT ?? port}`
  const ready = async (): Promise<void> => {
    await until(
      'the installation is ready',
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output.slice(-3_000)}`)
        return (await statusOf(`${adminUrl}/health`)) === 200 && (await statusOf(`${url}/health/ready`)) === 200
      },
      60_000,
    )
  }
  start()
  if (!mayFail) await ready()
  return {
    url,
    adminUrl,
    dataDirectory: directory,
    output: () => output,
    pid: (part) => pidOf(part, child, directory, adminUrl),
    exitCode: () => child.exitCode ?? undefined,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    ready,
    newcomer: () => signUp(url),
    restart: async () => {
      start()
      await ready()
    },
    signal: (name) => void child.kill(name),
    close: async () => {
      const database = databasePid(directory)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await until('the installation has stopped', () => child.exitCode !== null || child.signalCode !== null, 60_000)
      }
      if (database && isAlive(database)) process.kill(database, 'SIGINT')
      if (database) await until('the database has stopped', () => !isAlive(database))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function pidOf(part: string, supervisor: ChildProcess, directory: string, adminUrl: string): Promise<number> {
  if (part === 'supervisor') return supervisor.pid ?? 0
  if (part === 'database') return databasePid(directory) ?? 0
  const { parts } = (await (await fetch(`${adminUrl}/health`)).json()) as { parts: { name: string; pid: number }[] }
  return parts.find((found) => found.name === part)?.pid ?? 0
}

function databasePid(directory: string): number | undefined {
  const file = join(directory, 'database', 'postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export const statusOf = (url: string, timeoutMs = 2_000): Promise<number> =>
  fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.status
    },
    () => 0,
  )

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
