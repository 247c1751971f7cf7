import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type CommandRun, environmentOf, type Installation, readSlots, servedBy } from '@seaworthy/ops'
import { childEnvironment, lookAtConfig, type SeenConfig } from '@seaworthy/platform/config'
import { openRedis } from '@seaworthy/platform/connections'
import {
  findWeakRights,
  loginOf,
  openClient,
  type PgSingleClient,
  platformMigrations,
  readPending,
} from '@seaworthy/platform/data'
import { checkRecovery, placesOf, readDrillHistory, readDrillStatus, trendOf } from '@seaworthy/platform/recovery'
import { openKeyRing } from '@seaworthy/platform/vault'
import { adminAddress } from './database.ts'
import { type HostFlags, openHost } from './host.ts'
import { findPlace, loadSystem } from './place.ts'

export type InstallationFlags = Pick<HostFlags, 'root'> & { readonly runner?: string }

type Given = Readonly<Record<string, string | undefined>> | undefined

/** Opens nothing before it is asked for something: it may be that nothing runs. */
export async function withInstallation<T>(
  flags: InstallationFlags,
  work: (here: Installation) => Promise<T>,
): Promise<T> {
  const place = findPlace()
  const host = flags.root ? await openHost({ root: flags.root, runner: flags.runner ?? 'detached' }) : undefined
  const serving = (): string | undefined => host && servedBy(readSlots(host.layout))
  const given = (): Given => host && environmentOf(host.layout, { release: serving() ?? '', isOwner: true })
  const seen = lookAtConfig(place.directory, given())
  const session = openSession(seen)
  try {
    return await work({
      directory: place.directory,
      build: place.build,
      host,
      // Another one after a rollback.
      get serving() {
        return serving()
      },
      config: seen.config,
      faults: seen.faults,
      missingSecrets: seen.missing,
      query: session.query,
      pendingMigrations: () => pendingOf(seen),
      weakRights: () => weakRightsOf(seen),
      ring: () =>
        openKeyRing(known(seen))
          .all()
          .map(({ id }) => id),
      recoveryProblem: () =>
        checkRecovery(placesOf(known(seen).dataDirectory), Date.now(), known(seen).drillEveryDays).then(
          () => undefined,
          ({ message }: Error) => message,
        ),
      lastDrill: () => lastDrillOf(seen),
      pingRedis: () => pingRedis(seen),
      run: (args) => runCommand(args, place.directory, host && !args.includes('--root') ? given() : undefined),
    })
  } finally {
    await session.close()
  }
}

function known({ config }: SeenConfig): NonNullable<SeenConfig['config']> {
  if (!config) throw new Error('the settings are wrong')
  return config
}

async function lastDrillOf(seen: SeenConfig): ReturnType<Installation['lastDrill']> {
  const places = placesOf(known(seen).dataDirectory)
  const [status, history] = await Promise.all([readDrillStatus(places), readDrillHistory(places)])
  return status && { ...status.last, ratio: trendOf(history)?.ratio }
}

const LOST_MS = 10_000

/** One connection for all looks; another one once it broke. It cannot change anything. */
function openSession(seen: SeenConfig) {
  let client: PgSingleClient | undefined
  let lost: { readonly error: unknown; readonly untilMs: number } | undefined
  const open = async (): Promise<PgSingleClient> => {
    const { endpoint, admin } = adminAddress(known(seen))
    const opened = await openClient(endpoint, admin, 'doctor')
    await opened.query(`set statement_timeout = '10s'; set app.duty = 'operations'`)
    await opened.query('set session characteristics as transaction read only')
    return opened
  }
  const close = async (): Promise<void> => {
    const closing = client
    client = undefined
    await closing?.end().catch(() => undefined)
  }
  return {
    query: async <Row>(statement: string, as: 'owner' | 'admin' = 'owner'): Promise<readonly Row[]> => {
      if (lost && performance.now() < lost.untilMs) throw lost.error
      try {
        client ??= await open()
        await client.query(as === 'owner' ? 'set role seaworthy_owner' : 'reset role')
        return (await client.query(statement)).rows as Row[]
      } catch (error) {
        // A server that hangs would otherwise keep each look waiting.
        if (!client) lost = { error, untilMs: performance.now() + LOST_MS }
        await close()
        throw error
      }
    },
    close,
  }
}

async function pendingOf(seen: SeenConfig): Promise<readonly string[]> {
  const { endpoint, admin } = adminAddress(known(seen))
  const { apps } = await loadSystem(findPlace())
  const sources = apps.flatMap(({ name, migrations }) => (migrations ? [{ app: name, directory: migrations }] : []))
  const pending = await readPending(endpoint, admin, [platformMigrations, ...sources])
  return pending.map(({ app, name }) => `${app}/${name}`)
}

async function weakRightsOf(seen: SeenConfig): Promise<readonly string[]> {
  const config = known(seen)
  const { endpoint, admin } = adminAddress(config)
  const { apps } = await loadSystem(findPlace())
  const nameOf = (role: 'app' | 'worker' | 'reader'): string =>
    loginOf(role, config.secrets.databaseRoleSecret, endpoint).user
  const client = await openClient(endpoint, admin, 'doctor-rights')
  try {
    return await findWeakRights(client, {
      roles: { app: nameOf('app'), worker: nameOf('worker'), reader: nameOf('reader') },
      schemas: ['seaworthy', ...apps.flatMap(({ name, migrations }) => (migrations ? [name] : []))],
    })
  } finally {
    await client.end()
  }
}

/** What the client says of a connection that it never had. */
const wordsOf = ({ message }: Error): string => (message.includes('enableOfflineQueue') ? 'no connection' : message)

const FIRST_ANSWER_MS = 2_000
const STEP_MS = 50

/** It connects meanwhile: until then each call fails at once. */
async function pingRedis(seen: SeenConfig): Promise<void> {
  const { redisUrl } = known(seen)
  if (!redisUrl) throw new Error('REDIS_URL is not set')
  const redis = await openRedis(redisUrl)
  try {
    for (
      const end = performance.now() + FIRST_ANSWER_MS;
      ;
      await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    ) {
      const problem = await redis.ping().then(
        () => undefined,
        (error: Error) => error,
      )
      if (!problem) return
      if (performance.now() > end) throw new Error(wordsOf(problem), { cause: problem })
    }
  } finally {
    await redis.close()
  }
}

/** The same program with the settings of this installation. Whoever started this command may be asked by it, too. */
function runCommand(args: readonly string[], directory: string, given: Given): Promise<CommandRun> {
  const entry = join(directory, 'packages', 'cli', 'dist', 'main.js')
  // A command about releases reads the environment of the host itself.
  const env = given ? { ...given } : childEnvironment({})
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
