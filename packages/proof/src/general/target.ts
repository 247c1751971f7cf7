import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DatabaseClient, openClient } from '../rig/database.ts'
import type { Answer } from './answer.ts'
import type { ConfigFile, GeneralConfig } from './config.ts'
import { openProvider, type Provider } from './provider.ts'
import { launchApp, type Running, type Surroundings } from './running.ts'
import { type Asking, ask, enter, type Somebody } from './somebody.ts'

/** The app that is judged, and all that a claim may do to it. */
export interface Target {
  readonly config: GeneralConfig
  readonly url: string
  readonly provider: Provider
  /** Two people who have nothing to do with each other, the same for every claim. */
  people(): Promise<readonly [Somebody, Somebody]>
  newcomer(): Promise<Somebody>
  signIn(person: Somebody): Promise<Somebody>
  /** As nobody. */
  ask(line: string, asking?: Asking): Promise<Answer>
  /** As somebody who may see everything. */
  database(): Promise<DatabaseClient>
  /** What the process has printed; nothing when we did not start it. */
  output(): string
  /** Another process of the app with other settings; stopped when the work is done. `data` names what it starts on. */
  withProcess<T>(change: Surroundings['change'], work: (app: Running) => Promise<T>, data?: string): Promise<T>
}

export interface OpenTarget {
  readonly target: Target
  close(): Promise<void>
}

/** Starts the app, if it is ours to start, and waits until it answers. */
export async function openTarget(file: ConfigFile): Promise<OpenTarget> {
  const { config } = file
  const provider = await openProvider()
  const data = mkdtempSync(join(tmpdir(), 'prove-app-'))
  const clients: DatabaseClient[] = []
  let app: Running | undefined
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
    await app?.stop()
    await provider.close()
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    app = config.start ? await launchApp(file, { provider: provider.url, data: join(data, 'main') }) : undefined
    await app?.ready()
    return { target: targetOf(file, { provider, clients, data, ...(app ? { app } : {}) }), close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Opened {
  readonly provider: Provider
  readonly clients: DatabaseClient[]
  readonly data: string
  readonly app?: Running
}

let folders = 0

function targetOf(file: ConfigFile, { provider, clients, data, app }: Opened): Target {
  const { config } = file
  const url = app?.url ?? config.url
  const newcomer = (): Promise<Somebody> => enter(url, config)
  let people: Promise<readonly [Somebody, Somebody]> | undefined
  let database: Promise<DatabaseClient> | undefined
  const connect = async (): Promise<DatabaseClient> => {
    const client = await openClient(config.database ?? '')
    clients.push(client)
    return client
  }
  return {
    config,
    url,
    provider,
    newcomer,
    people: () => {
      people ??= Promise.all([newcomer(), newcomer()])
      return people
    },
    signIn: (person) => enter(url, config, config.signIn, person),
    ask: (line, asking) => ask(url, line, asking),
    database: () => {
      database ??= connect()
      return database
    },
    output: () => app?.output() ?? '',
    withProcess: async (change = {}, work, name = `other-${++folders}`) => {
      const other = await launchApp(file, { provider: provider.url, data: join(data, name), change })
      try {
        return await work(other)
      } finally {
        await other.stop()
      }
    },
  }
}
