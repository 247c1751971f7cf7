import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { copyProduct } from './copy.ts'
import { bareEnvironment } from './environment.ts'
import { onServer } from './external.ts'
import { startBareProxy } from './host-nginx.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** A host with nginx and a database, on which releases are deployed as an operator does it. The claim needs `nginx`. */
export interface Host {
  /** Of nginx. */
  readonly url: string
  /** File of the authority that signed its certificate, where it speaks TLS. */
  readonly authority: string | undefined
  readonly root: string
  /** As its owner. */
  readonly databaseUrl: string
  /** Whose PostgreSQL it is: a product of its own, which starts it again when it ends. */
  readonly server: Pick<Stack, 'pids' | 'signal'>
  /** A built checkout of its own, whose files may be changed. */
  checkout(name: string): string
  /** A command of a checkout on this host, to its end. */
  command(checkout: string, ...args: readonly string[]): Promise<ProgramRun>
  /** A command that is not waited for. */
  begin(checkout: string, ...args: readonly string[]): KeptProcess
  /** The same with a module that is loaded before it. */
  beginWith(module: string, checkout: string, ...args: readonly string[]): KeptProcess
  state(): HostState
  /** For each slot the release it leads to. */
  slots(): readonly string[]
  /** Process ids of the supervisors that run here. */
  supervisors(): readonly string[]
}

interface HostState {
  readonly serving?: string
  readonly current?: { readonly steps: readonly { readonly name: string }[] }
  readonly last?: { readonly outcome: string; readonly why?: string; readonly target: string }
}

const SLOTS = 10
const COMMAND_MS = 400_000

export async function openHost(
  rig: Rig,
  environment: Readonly<Record<string, string>> = {},
  startProxy = startBareProxy,
): Promise<Host> {
  const server = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '60' } })
  const root = join(rig.scratch, 'srv')
  const run = join(root, 'run')
  mkdirSync(join(root, 'shared'), { recursive: true })
  const { url, authority } = await startProxy(rig, run)
  const settings: Record<string, string> = {
    ...onServer(await server.database('admin'), 'proof_host'),
    AUDIT_SECRET: createHash('sha256').update('proof_host AUDIT_SECRET').digest('hex'),
    PUBLIC_URL: url,
    WORKER_PROCESSES: '1',
    ...environment,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(root, 'shared', 'env'), `${lines.join('\n')}\n`, { mode: 0o600 })
  const env = authority ? { NODE_EXTRA_CA_CERTS: authority } : {}
  const argsOf = (checkout: string, args: readonly string[]): string[] => [
    join(checkout, 'packages', 'cli', 'dist', 'main.js'),
    ...args,
    '--root',
    root,
  ]
  const supervisors = (): string[] => processesOf(join(root, 'releases'))
  rig.defer(async () => {
    for (const pid of supervisors()) process.kill(Number(pid), 'SIGKILL')
    await until('no release runs', () => supervisors().length === 0)
  })
  return {
    url,
    authority,
    root,
    databaseUrl: settings.DATABASE_URL ?? '',
    server,
    checkout: (name) => {
      const directory = join(rig.scratch, name)
      copyProduct(rig.product, directory)
      writeFileSync(join(directory, 'dist', 'name'), name)
      return directory
    },
    command: (checkout, ...args) =>
      runProgram(process.execPath, argsOf(checkout, args), { timeoutMs: COMMAND_MS, environment: env }),
    begin: (checkout, ...args) => keep(checkout, env, argsOf(checkout, args)),
    beginWith: (module, checkout, ...args) => keep(checkout, env, ['--import', module, ...argsOf(checkout, args)]),
    state: () => JSON.parse(readFileSync(join(root, 'state.json'), 'utf8')) as HostState,
    slots: () => Array.from({ length: SLOTS }, (_, slot) => releaseAt(join(run, `slot-${slot}.sock`))),
    supervisors,
  }
}

const keep = (cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): KeptProcess =>
  keepProcess(process.execPath, args, { env: { ...bareEnvironment(), ...env }, cwd })

function releaseAt(link: string): string {
  try {
    return basename(readlinkSync(link), '.sock')
  } catch {
    return ''
  }
}

function processesOf(releases: string): string[] {
  const found = (pid: string): boolean => {
    try {
      const [, program = '', command] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return program.startsWith(releases) && command === 'start'
    } catch {
      return false
    }
  }
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && found(name))
}
