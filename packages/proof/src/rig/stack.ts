import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type DatabaseClient, type DatabaseRole, openClient } from './database.ts'
import { bareEnvironment } from './environment.ts'
import { type Exit, isAlive, type KeptProcess, keepProcess } from './kept-process.ts'
import { type Person, signIn, signUp } from './person.ts'
import { freePort } from './ports.ts'
import { until } from './wait.ts'

type Part = 'supervisor' | 'web' | 'worker' | 'database'

/** The built product, running as an operator starts it, on ports and in a directory of its own. */
export interface Stack {
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  readonly dataDirectory: string
  newcomer(): Promise<Person>
  signIn(person: Person): Promise<Person>
  /** The first operator, made by the link of the first start. */
  operator(): Promise<Person>
  /** A connection of one of the product's roles; `admin` may do anything. Ended with the stack. */
  database(role?: DatabaseRole): Promise<DatabaseClient>
  /** Process ids; more than one where there are several web or worker processes. */
  pids(part: Part): Promise<number[]>
  /** To every process of this part. */
  signal(part: Part, name: NodeJS.Signals): Promise<void>
  /** All that it has printed. */
  output(): string
  /** Its log lines, parsed. */
  log(): readonly LogLine[]
  /** Waits until it serves. */
  ready(deadlineMs?: number): Promise<void>
  /** Starts it again on the same data and ports after it has ended. */
  restart(): Promise<void>
  exit(): Exit | undefined
  readonly exited: Promise<Exit>
  stop(): Promise<Exit>
}

interface LogLine {
  readonly level: string
  readonly message: string
  readonly process: string
  readonly [field: string]: unknown
}

/** Limits that do not get in the way of experiments about something else. */
const generous = {
  RATE_LIMIT_MAX: '1000000',
  AUTH_RATE_LIMIT_MAX: '1000000',
  UPLOAD_RATE_LIMIT_MAX: '1000000',
  EFFECTS_RATE_LIMIT_MAX: '1000000',
}

export interface StackSettings {
  /** The copy of the product that runs. */
  readonly product: string
  readonly directory: string
  /** Of the product; undefined takes one of the generous limits away. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** A program in front of it, such as faketime with its arguments. */
  readonly under?: readonly string[]
}

const READY_MS = 60_000
const STOP_MS = 45_000

/** Starts the product and waits until it serves. */
export async function startStack(settings: StackSettings): Promise<Stack> {
  const launched = await launch(settings)
  await launched.ready().catch(async (error: unknown) => {
    await launched.stop()
    throw error
  })
  return launched
}

/** Starts the product and does not wait: for starts that must fail. */
export async function launch({ product, directory, environment = {}, under = [] }: StackSettings): Promise<Stack> {
  mkdirSync(directory, { recursive: true })
  const [port, adminPort] = [await freePort(), await freePort()]
  const env = {
    ...bareEnvironment(),
    LOG_FORMAT: 'json',
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    DATA_DIR: directory,
    ...generous,
    ...environment,
  }
  const [command = process.execPath, ...args] = [...under, process.execPath, entryOf(product), 'start']
  const begin = (): KeptProcess => keepProcess(command, args, { env, cwd: product })
  let kept = begin()
  let earlier = ''
  const url = `http://127.0.0.1:${port}`
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const clients: DatabaseClient[] = []
  const output = (): string => earlier + kept.output()
  const ready = async (deadlineMs = READY_MS): Promise<void> => {
    await until(
      'the product serves',
      async () => {
        if (kept.exit()) throw new Error(`the product ended:\n${kept.output().slice(-2_000)}`)
        return (await statusOf(`${adminUrl}/health`)) === 200 && (await statusOf(`${url}/health/ready`)) === 200
      },
      deadlineMs,
    )
  }
  const pids = (part: Part): Promise<number[]> => pidsOf(part, { kept, directory, adminUrl })
  return {
    url,
    port,
    adminUrl,
    dataDirectory: directory,
    newcomer: () => signUp(url),
    signIn: (person) => signIn(url, person.email, person.password),
    operator: () => signUp(url, operatorTokenIn(output())),
    database: async (role = 'admin') => {
      const client = await openClient(await databaseUrl(product, env, role))
      clients.push(client)
      return client
    },
    pids,
    signal: async (part, name) => {
      for (const pid of await pids(part)) process.kill(pid, name)
    },
    output,
    log: () => parseLog(output()),
    ready,
    restart: async () => {
      earlier += kept.output()
      kept = begin()
      await ready()
    },
    exit: () => kept.exit(),
    get exited() {
      return kept.exited
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
      return stop(kept, directory)
    },
  }
}

const entryOf = (product: string): string => join(product, 'packages', 'cli', 'dist', 'main.js')

/** As an operator asks for it: the product prints the address. */
async function databaseUrl(product: string, env: NodeJS.ProcessEnv, role: DatabaseRole): Promise<string> {
  const asked = await promisify(execFile)(process.execPath, [entryOf(product), 'database', '--as', role], {
    env,
    cwd: product,
  })
  return asked.stdout.trim()
}

async function stop(kept: KeptProcess, directory: string): Promise<Exit> {
  const database = databasePid(directory)
  await kept.signal('SIGCONT')
  await kept.signal('SIGTERM')
  const late = setTimeout(() => void kept.signal('SIGKILL'), STOP_MS)
  const exit = await kept.exited
  clearTimeout(late)
  // Where the supervisor was killed, the database it left behind goes too.
  if (database && isAlive(database)) {
    process.kill(database, 'SIGINT')
    await until('the database has stopped', () => !isAlive(database)).catch(() => process.kill(database, 'SIGKILL'))
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  return exit
}

async function pidsOf(
  part: Part,
  { kept, directory, adminUrl }: { kept: KeptProcess; directory: string; adminUrl: string },
): Promise<number[]> {
  if (part === 'supervisor') return [await kept.pid]
  if (part === 'database') return [databasePid(directory)].filter((pid) => pid !== undefined)
  const { parts } = (await (await fetch(`${adminUrl}/health`)).json()) as {
    parts: { name: string; pid?: number; state: string }[]
  }
  return parts
    .filter((found) => found.name === part || found.name.startsWith(`${part} `))
    .map((found) => found.pid)
    .filter((pid) => pid !== undefined)
}

function databasePid(directory: string): number | undefined {
  try {
    return Number(readFileSync(join(directory, 'database', 'postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    return undefined
  }
}

function operatorTokenIn(output: string): string {
  const token = /operator=([\w-]+)/.exec(output)?.[1]
  if (!token) throw new Error('the start printed no link for the first operator')
  return token
}

function parseLog(output: string): LogLine[] {
  return output.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as LogLine] : []
    } catch {
      return []
    }
  })
}

/** `0` when no answer came in time. */
export const statusOf = (url: string, timeoutMs = 2_000): Promise<number> =>
  fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.status
    },
    () => 0,
  )
