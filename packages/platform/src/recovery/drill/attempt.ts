import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Secret } from '@seaworthy/core'
import { blankEnvironment, childEnvironment } from '../../config/index.ts'
import { type EmbeddedServer, openClient } from '../../data/index.ts'
import { ringOf, type SealedColumn } from '../../vault/index.ts'
import { findRestic } from '../drivers/restic.ts'
import { openShelf, parseBucket } from '../places.ts'
import { neededBytes, restore } from '../restore.ts'
import { type Plan, parseTarget, planRestore } from '../restore-plan.ts'
import type { Shelf } from '../shelf.ts'
import { openStore } from '../store.ts'
import { checkMore, type MoreChecked } from './check-more.ts'
import type { DrillChecked } from './report.ts'
import { type Allowed, putUpWalls, type Walls, withoutNetwork } from './walls.ts'

/** Everything that a trial knows. It has no settings, no environment and no file of the installation besides. */
export interface Order {
  readonly walls: Walls
  readonly allowed: Allowed
  /** The directory of the store, or `s3://bucket/prefix`. */
  readonly store: string
  /** What opens a bucket. */
  readonly bucket: BucketAccess | undefined
  /** The keys of the ring, in hexadecimal, the current one first. */
  readonly keys: readonly [string, ...string[]]
  readonly point: string
  readonly restic: string | undefined
  readonly columns: readonly SealedColumn[]
  readonly marker: string | undefined
  readonly auditRetentionMs: number
  /** The program that starts the service, and uses it as somebody would. Each line that it prints is a `UseLine`. */
  readonly use: readonly string[]
}

export interface BucketAccess {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What a trial says while it is under way, one JSON text a line. */
export type AttemptLine =
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'planned'; readonly bytes: number; readonly segments: number; readonly pointFrom: string }
  | { readonly kind: 'passed'; readonly attempted: Attempted }
  | { readonly kind: 'failed'; readonly problem: string; readonly isUntried: boolean }

export type UseLine =
  | { readonly kind: 'ready'; readonly seconds: number }
  | { readonly kind: 'journey'; readonly text: string }
  | { readonly kind: 'end'; readonly seconds: number }

export interface Attempted {
  readonly seconds: Readonly<Record<string, number>>
  readonly rtoSeconds: number
  readonly checked: DrillChecked
  readonly journeys: readonly string[]
}

/** Steps that fail because of this machine, and say nothing about the recovery point. */
const HERE = new Set(['put up the walls', 'check the disk'])

/** Restores one point, asks it everything, starts the service on it and uses it. Says how it went by `tell`. */
export async function attempt(order: Order, tell: (line: AttemptLine) => void): Promise<void> {
  let step = 'put up the walls'
  const begin = (next: string): void => {
    if (next !== step) tell({ kind: 'step', step: next })
    step = next
  }
  try {
    if (order.allowed.files) putUpWalls(order.walls)
    tell({ kind: 'passed', attempted: await tryPoint(order, begin, tell) })
  } catch (error) {
    const { message } = error as Error
    tell({ kind: 'failed', problem: `${step}: ${message.split('\n')[0]}`, isUntried: HERE.has(step) })
  }
}

async function tryPoint(
  order: Order,
  begin: (step: string) => void,
  tell: (line: AttemptLine) => void,
): Promise<Attempted> {
  const { allowed, walls } = order
  begin('look at the store')
  const started = performance.now()
  const keys = order.keys.map((key) => new Secret(key)) as [Secret, ...Secret[]]
  const ring = ringOf(...keys)
  const shelf = shelfOf(order)
  const store = await openStore(shelf, ring)
  if (!store) throw new Error('there is no recovery point')
  const plan = await planRestore(store, parseTarget('latest'), { pointId: order.point })
  tell({ kind: 'planned', pointFrom: plan.point.from, ...sizesOf(plan) })
  const looked = secondsSince(started)
  const directory = join(allowed.files ? join(walls.front, 'room') : walls.room, 'data')
  let more: MoreChecked = { sealedValues: 0, auditLines: 0 }
  const restored = await restore({
    plan,
    destination: { kind: 'beside', directory, keys },
    ring,
    restic: findRestic(order.restic),
    tell: (step) => begin(step),
    alsoCheck: async ({ server, dataDirectory }) => {
      more = await checkMore({ ...order, server, dataDirectory, ring })
      await quieten(server)
    },
  })
  begin('start the service')
  const { seconds, journeys } = await useService(order, directory, begin)
  const restoredSeconds = { 'look at the store': looked, ...restored.seconds }
  const rto = Object.values(restoredSeconds).reduce((sum, part) => sum + part, 0) + (seconds['start the service'] ?? 0)
  return {
    seconds: { ...restoredSeconds, ...seconds },
    rtoSeconds: Math.round(rto * 1_000) / 1_000,
    checked: { ...restored.checked, ...more },
    journeys,
  }
}

function shelfOf({ allowed, walls, store, bucket }: Order): Shelf {
  const isBucket = parseBucket(store) !== undefined
  return openShelf(isBucket || !allowed.files ? store : join(walls.front, 'store'), {
    backupS3Endpoint: bucket?.endpoint,
    backupS3Region: bucket?.region ?? '',
    backupS3AccessKeyId: bucket?.accessKeyId ?? '',
    backupS3SecretAccessKey: bucket && new Secret(bucket.secretAccessKey),
  })
}

const sizesOf = ({ point, chain }: Plan) => ({
  bytes: neededBytes(point, 0),
  segments: chain.segments.length,
})

const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1_000

/** What people had begun is done where they began it. Here nobody waits for it. */
async function quieten({ endpoint, admin }: EmbeddedServer): Promise<void> {
  const client = await openClient(endpoint, admin, 'drill')
  try {
    await client.query(
      `update seaworthy.jobs set state = 'cancelled', finished_at = now() where state in ('waiting', 'running')`,
    )
    const { rows } = await client.query<{ queue: string | null }>(
      `select to_regclass('graphile_worker._private_jobs')::text as queue`,
    )
    if (rows[0]?.queue) await client.query('delete from graphile_worker._private_jobs')
  } finally {
    await client.end()
  }
}

/** As a proxy does, by sockets: no port of this machine is taken. */
async function useService(
  { use, allowed, walls: { front } }: Order,
  dataDirectory: string,
  begin: (step: string) => void,
): Promise<Pick<Attempted, 'seconds' | 'journeys'>> {
  const [command = '', ...args] = withoutNetwork(use, allowed)
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...bareEnvironment(),
      ...blankEnvironment(),
      NODE_ENV: 'production',
      DATA_DIR: dataDirectory,
      SOCKET: join(front, 'web.sock'),
      ADMIN_SOCKET: join(front, 'admin.sock'),
      TRUSTED_PROXIES: '1',
      PUBLIC_URL: 'https://drill.invalid',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'warn',
    },
  })
  const seconds: Record<string, number> = {}
  const journeys: string[] = []
  let said = ''
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as UseLine
    if (line.kind === 'journey') journeys.push(line.text)
    else seconds[line.kind === 'ready' ? 'start the service' : 'walk the journeys'] = line.seconds
    if (line.kind === 'ready') begin('walk the journeys')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  })
  const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit, signal) => resolve(exit ?? signal))
  })
  if (code !== 0 || seconds['walk the journeys'] === undefined)
    throw new Error(said.trim().split('\n').at(-1) || `it ended with ${code}`)
  return { seconds, journeys }
}

/** What programs need to run, and nothing of an installation. */
export const bareEnvironment = (): Record<string, string> => {
  const { PATH = '', LANG = 'C.UTF-8', MALLOC_ARENA_MAX = '', MALLOC_MMAP_THRESHOLD_ = '' } = childEnvironment({})
  return { PATH, LANG, HOME: '/', MALLOC_ARENA_MAX, MALLOC_MMAP_THRESHOLD_ }
}
