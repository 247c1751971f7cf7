import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openClient } from './database.ts'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** A PostgreSQL that the product did not start, as a machine of somebody's own would have one. */
interface OtherServer {
  /** Of a database that does not exist there yet, for a user who may do anything. */
  address(database?: string): string
}

const USER = 'operator'
const PASSWORD = 'only for proofs'

export async function startOtherServer(rig: Rig, stack: Stack): Promise<OtherServer> {
  const versions = join(stack.dataDirectory, 'postgres')
  const programs = join(versions, readdirSync(versions)[0] ?? '', 'bin')
  const home = mkdtempSync(join(rig.scratch, 'server-'))
  const [files, secret] = [join(home, 'files'), join(home, 'password')]
  writeFileSync(secret, PASSWORD)
  const made = asUser(join(programs, 'initdb'), [
    ...['-D', files, '-U', USER, `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ])
  await promisify(execFile)(made.command, made.args, { env: environment() })
  const port = await freePort()
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', wal_level: 'logical' }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { command, args } = asUser(join(programs, 'postgres'), ['-D', files, ...flags])
  const server: KeptProcess = keepProcess(command, args, { env: environment() })
  rig.defer(async () => {
    await server.signal('SIGQUIT')
    await server.exited
  })
  const address = (database = 'seaworthy'): string =>
    `postgresql://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`
  await until('the other server answers', () =>
    openClient(address('postgres')).then(
      async (client) => {
        await client.end()
        return true
      },
      () => false,
    ),
  )
  return { address }
}

const environment = (): NodeJS.ProcessEnv => ({ ...bareEnvironment(), LC_ALL: 'C', TZ: 'UTC' })

/** PostgreSQL does not run as root; as root it gets a namespace in which it is somebody else, like the product's. */
const asUser = (program: string, args: readonly string[]): { command: string; args: string[] } =>
  process.getuid?.() === 0
    ? { command: 'unshare', args: ['--user', '--map-user=1000', program, ...args] }
    : { command: program, args: [...args] }
