import { backoffMs, pause, SECOND, Secret } from '@seaworthy/core'
import { type Config, readKeptDatabase } from '../config/index.ts'
import { type EmbeddedServer, type Endpoint, holdWrites } from '../data/index.ts'
import { forgetGraduation, isUnderWay, readGraduation, readWritePause } from '../graduation/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { SupervisedChild } from './child.ts'
import type { Closer } from './closer.ts'
import { lockDataDirectory } from './lock.ts'
import { type OpenedServer, openDatabaseServer } from './prepare-database.ts'

export interface KeptServer {
  /** Another one after a graduation. */
  current(): OpenedServer
}

interface KeptServerParts {
  readonly config: Config
  readonly log: Logger
  readonly closer: Closer
  readonly children: readonly SupervisedChild[]
  readonly signal: AbortSignal
  /** The embedded server counts again, after another one. */
  readonly onCameBack: (server: OpenedServer) => void
}

/** The database's server, which is kept running when it is the embedded one, and is followed when a graduation moves it. */
export async function openKeptServer(parts: KeptServerParts): Promise<KeptServer> {
  const { config, closer } = parts
  // Migrations may use what is left of the disk. A change-over that is under way keeps its hold.
  if (!config.databaseUrl && readWritePause(config.dataDirectory, Date.now()) !== 'held')
    holdWrites(config.dataDirectory, false)
  const state = { server: await openDatabaseServer(config), keeper: undefined as Keeper | undefined }
  closer.add('database', () => state.keeper?.stop())
  state.keeper = keep(state.server, parts)
  if (config.isDatabaseKept) void followMoves(state, parts)
  return { current: () => state.server }
}

interface State {
  server: OpenedServer
  keeper: Keeper | undefined
}

interface Keeper {
  stop(): Promise<void>
}

function keep({ embedded }: OpenedServer, { config, log, signal, children }: KeptServerParts): Keeper | undefined {
  const onMoved = (endpoint: Endpoint): void => {
    for (const child of children) child.move(endpoint)
  }
  return embedded && keepRunning(embedded, { config: { ...config, databaseUrl: undefined }, log, signal, onMoved })
}

const LOOK_MS = SECOND / 5

/** Looks at one small file: the graduation itself is another process, and either of us may be killed. */
async function followMoves(state: State, parts: KeptServerParts): Promise<void> {
  const { config, log, signal } = parts
  let url = config.databaseUrl?.reveal()
  for (await pause(LOOK_MS, signal); !signal.aborted; await pause(LOOK_MS, signal)) {
    try {
      // In this order: what gave no word before it was gone gives none any more.
      const isLeft = readWritePause(config.dataDirectory, Date.now()) === 'left'
      const kept = readKeptDatabase(config.dataDirectory)
      if (kept?.url !== url) {
        await move(state, parts, kept && { url: new Secret(kept.url), caFile: kept.caFile })
        url = kept?.url
      } else if (isLeft && state.server.embedded) goOnWriting(config.dataDirectory, log)
    } catch (error) {
      log.error('the database was moved and could not be followed; trying again', { runbook: 'database-gone', error })
      await pause(SECOND, signal)
    }
  }
}

function goOnWriting(dataDirectory: string, log: Logger): void {
  holdWrites(dataDirectory, false)
  forgetGraduation(dataDirectory)
  log.warn('a graduation ended before it was done: this database goes on; HINT: run the same command again')
}

async function move(
  state: State,
  parts: KeptServerParts,
  to: { readonly url: Secret; readonly caFile: string | undefined } | undefined,
): Promise<void> {
  const { config, log, signal, children, closer, onCameBack } = parts
  const [old, keeper] = [state.server, state.keeper]
  if (!to && !old.embedded) closer.add('lock', lockDataDirectory(config.dataDirectory))
  const caFile = config.databaseCaFile ?? to?.caFile
  const server = await openDatabaseServer({ ...config, databaseUrl: to?.url, databaseCaFile: caFile })
  const { host, port, database } = server.endpoint
  log.info('the database was moved', { to: `${host}:${port}/${database}` })
  for (const child of children) child.move(server.endpoint)
  state.server = server
  state.keeper = keep(server, parts)
  if (server.embedded) onCameBack(server)
  // Whoever moves it still has to write down there that it was left.
  while (!signal.aborted && isBusy(config.dataDirectory)) await pause(LOOK_MS, signal)
  await keeper?.stop()
}

function isBusy(dataDirectory: string): boolean {
  const state = readGraduation(dataDirectory)
  return state !== undefined && isUnderWay(state)
}

interface KeeperSettings {
  readonly config: Config
  readonly log: Logger
  readonly signal: AbortSignal
  /** It had to take another port. */
  readonly onMoved: (endpoint: Endpoint) => void
}

/** Starts the database again whenever it ends: after a crash it recovers, after a full disk it waits for space. */
function keepRunning(first: EmbeddedServer, { config, log, signal, onMoved }: KeeperSettings): Keeper {
  let current: EmbeddedServer | undefined = first
  let port = first.endpoint.port
  let isStopped = false
  const startAgain = async (failures: number): Promise<number> => {
    try {
      current = (await openDatabaseServer(config)).embedded
      if (current && current.endpoint.port !== port) onMoved(current.endpoint)
      port = current?.endpoint.port ?? port
      return 0
    } catch (error) {
      current = undefined
      log.error('the database could not be started; trying again', {
        runbook: 'database-gone',
        error: (error as Error).message,
      })
      await pause(backoffMs(failures + 1, SECOND / 2, 10 * SECOND), signal)
      return failures + 1
    }
  }
  const watch = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; ) {
      await current?.exited
      if (signal.aborted || isStopped) return
      if (failures === 0) log.error('the database ended and is started again', { runbook: 'database-gone' })
      failures = await startAgain(failures)
    }
  }
  void watch()
  return {
    stop: async () => {
      isStopped = true
      await current?.stop()
    },
  }
}
