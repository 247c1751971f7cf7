import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { copyProduct } from './copy.ts'
import { bareEnvironment } from './environment.ts'
import { onServer } from './external.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'
import { statusOf } from './stack.ts'
import { until } from './wait.ts'

/** A host with nginx and a database, on which releases are deployed as an operator does it. The claim needs `nginx`. */
export interface Host {
  /** Of nginx. */
  readonly url: string
  readonly root: string
  /** As its owner. */
  readonly databaseUrl: string
  /** A built checkout of its own, whose files may be changed. */
  checkout(name: string): string
  /** A command of a checkout on this host, to its end. */
  command(checkout: string, ...args: readonly string[]): Promise<ProgramRun>
  /** A command that is not waited for. */
  begin(checkout: string, ...args: readonly string[]): KeptProcess
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

export async function openHost(rig: Rig, environment: Readonly<Record<string, string>> = {}): Promise<Host> {
  const server = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '60' } })
  const root = join(rig.scratch, 'srv')
  const run = join(root, 'run')
  mkdirSync(join(root, 'shared'), { recursive: true })
  const url = await startProxy(rig, run)
  const settings: Record<string, string> = {
    ...onServer(await server.database('admin'), 'proof_host'),
    AUDIT_SECRET: createHash('sha256').update('proof_host AUDIT_SECRET').digest('hex'),
    PUBLIC_URL: url,
    WORKER_PROCESSES: '1',
    ...environment,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  writeFileSync(join(root, 'shared', 'env'), `${lines.join('\n')}\n`, { mode: 0o600 })
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
    root,
    databaseUrl: settings.DATABASE_URL ?? '',
    checkout: (name) => {
      const directory = join(rig.scratch, name)
      copyProduct(rig.product, directory)
      writeFileSync(join(directory, 'dist', 'name'), name)
      return directory
    },
    command: (checkout, ...args) => runProgram(process.execPath, argsOf(checkout, args), { timeoutMs: COMMAND_MS }),
    begin: (checkout, ...args) =>
      keepProcess(process.execPath, argsOf(checkout, args), { env: bareEnvironment(), cwd: checkout }),
    state: () => JSON.parse(readFileSync(join(root, 'state.json'), 'utf8')) as HostState,
    slots: () => Array.from({ length: SLOTS }, (_, slot) => releaseAt(join(run, `slot-${slot}.sock`))),
    supervisors,
  }
}

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

async function startProxy(rig: Rig, run: string): Promise<string> {
  const directory = join(rig.scratch, 'nginx')
  mkdirSync(join(directory, 'tmp'), { recursive: true })
  const port = await freePort()
  writeFileSync(join(directory, 'nginx.conf'), configuration(port, run))
  const nginx = keepProcess(rig.program('nginx'), ['-p', `${directory}/`, '-c', 'nginx.conf', '-e', 'error.log'], {
    env: bareEnvironment(),
    cwd: directory,
  })
  rig.defer(async () => {
    await nginx.signal('SIGTERM')
    await nginx.exited
  })
  const url = `http://127.0.0.1:${port}`
  await until('nginx answers', async () => (await statusOf(url)) > 0)
  return url
}

/** Ten slots as in the rendered configuration, and no second try. */
const configuration = (port: number, run: string): string => `
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream web {
    zone web 64k;
    ${Array.from({ length: SLOTS }, (_, slot) => `server unix:${run}/slot-${slot}.sock max_fails=0;`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 40m;
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_request_buffering off; proxy_next_upstream off;
      proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`
