import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { HOUR, MiB, SECOND } from '@seaworthy/core'
import { type Endpoint, killServerOf, type Login } from '../../data/index.ts'
import type { KeyRing, SealedColumn } from '../../vault/index.ts'
import { parseBucket } from '../places.ts'
import { listPoints, type Point } from '../point.ts'
import type { Shelf } from '../shelf.ts'
import { DamagedError, openStore, type Store } from '../store.ts'
import { acknowledge } from './acknowledge.ts'
import { type Attempted, type AttemptLine, type BucketAccess, bareEnvironment, type Order } from './attempt.ts'
import { lockDrill } from './lock.ts'
import { limitMemory } from './memory.ts'
import type { DrillOutcome, DrillReport, DrillRoom } from './report.ts'
import { type Allowed, findAllowed, wrap } from './walls.ts'

export interface DrillSettings {
  readonly shelf: Shelf
  /** What opens the shelf where it is a bucket. */
  readonly bucket: BucketAccess | undefined
  readonly ring: KeyRing
  /** Default: the newest that is sound. */
  readonly point?: string | undefined
  /** A directory of its own; whatever is there is removed. */
  readonly place: string
  /** What the trial must not see. */
  readonly hidden: readonly string[]
  readonly memoryBytes: number
  readonly restic: string | undefined
  readonly columns: readonly SealedColumn[]
  readonly auditRetentionMs: number
  /** Of the database that runs, if one does: a row is written there that the trial must find. */
  readonly live: { readonly endpoint: Endpoint; readonly admin: Login; readonly identity: string } | undefined
  /** The program that calls `attempt` with what it reads, and the one that uses the service. */
  readonly inside: readonly string[]
  readonly use: readonly string[]
  readonly signal: AbortSignal
  readonly tell: (step: string) => void
}

const LONGEST_MS = 24 * HOUR
const LOOK_MS = SECOND

/**
 * Restores a recovery point where it sees only the store and the keys, asks the database everything, starts the service
 * on it, uses it, and removes it. Never throws for what it finds: the report says it. Throws when another one runs.
 */
export async function drill(settings: DrillSettings): Promise<DrillReport> {
  const unlock = await lockDrill(settings.place)
  const begun = new Date()
  const started = performance.now()
  const known: Known = { at: begun.toISOString(), store: settings.shelf.name }
  try {
    await clear(settings.place)
    return await drillLocked(settings, known, () => Math.round(performance.now() - started) / 1_000)
  } finally {
    await clear(settings.place)
    unlock()
  }
}

/** What is known so far, for a report of whatever happens. */
interface Known {
  readonly at: string
  readonly store: string
  point?: Point
  rpoSeconds?: number
  bytes?: number
  segments?: number
  room?: DrillRoom
}

async function drillLocked(settings: DrillSettings, known: Known, took: () => number): Promise<DrillReport> {
  const finish = (outcome: DrillOutcome, more: { problem?: string; attempted?: Attempted } = {}): DrillReport => ({
    at: known.at,
    store: known.store,
    point: known.point?.id ?? settings.point,
    pointFrom: known.point?.from,
    outcome,
    problem: more.problem?.replaceAll(/\S*\/seaworthy-drill-\w+\/store\b/g, known.store),
    seconds: more.attempted?.seconds ?? {},
    rtoSeconds: more.attempted?.rtoSeconds,
    rpoSeconds: known.rpoSeconds,
    tookSeconds: took(),
    bytes: known.bytes,
    segments: known.segments,
    checked: more.attempted?.checked,
    journeys: more.attempted?.journeys ?? [],
    room: known.room,
  })
  try {
    settings.tell('open the store')
    const store = await openStore(settings.shelf, settings.ring)
    if (!store) return finish('unknown', { problem: 'there is no recovery point yet' })
    known.point = await choosePoint(store, settings.point)
    const marker = await writeMarker(store, settings, known)
    const ended = await runInside(settings, { point: known.point.id, marker }, known)
    if (ended.attempted) return finish('passed', ended)
    return finish(ended.isUntried ? 'unknown' : 'failed', ended)
  } catch (error) {
    const problem = (error as Error).message.split('\n')[0] ?? ''
    return finish(error instanceof DamagedError ? 'failed' : 'unknown', { problem })
  }
}

async function choosePoint(store: Store, id: string | undefined): Promise<Point> {
  const listed = await listPoints(store)
  const chosen = listed.findLast(({ id: name, point }) => (id ? name === id : !point?.isShrunken))
  if (chosen?.point) return chosen.point
  if (chosen)
    throw new DamagedError({ store: store.shelf.name, key: `points/${chosen.id}.json`, why: 'it does not open' })
  throw new Error(id ? `there is no point ${id}` : 'there is no recovery point yet')
}

/** Where it does not come to the store, the restored database is not asked for it, and no loss is named. */
async function writeMarker(store: Store, { live, tell }: DrillSettings, known: Known): Promise<string | undefined> {
  if (!live || store.owner !== live.identity) return undefined
  tell('wait until a new row is in the store')
  try {
    const { id, seconds } = await acknowledge(live.endpoint, live.admin, store)
    known.rpoSeconds = seconds
    return id
  } catch (error) {
    tell((error as Error).message)
    return undefined
  }
}

interface Ended {
  readonly attempted?: Attempted
  readonly problem?: string
  readonly isUntried?: boolean
}

async function runInside(
  settings: DrillSettings,
  { point, marker }: { readonly point: string; readonly marker: string | undefined },
  known: Known,
): Promise<Ended> {
  const { place, memoryBytes } = settings
  settings.tell('prepare the room')
  const front = frontOf(place)
  mkdirSync(front, { mode: 0o700 })
  mkdirSync(place, { recursive: true, mode: 0o700 })
  const allowed = findAllowed()
  const limit = limitMemory(memoryBytes)
  const diskFloorBytes = floorOf(place)
  known.room = describeRoom(allowed, { limit: limit !== undefined, memoryBytes, diskFloorBytes })
  try {
    const order: Order = {
      ...settings,
      walls: {
        front,
        room: place,
        store: parseBucket(settings.shelf.name) ? undefined : settings.shelf.name,
        hidden: settings.hidden,
      },
      allowed,
      store: settings.shelf.name,
      keys: keysOf(settings.ring),
      point,
      marker,
    }
    const command = wrap(settings.inside, { allowed, procs: limit?.procs, memoryBytes })
    return await converse(command, order, settings, known)
  } finally {
    limit?.close()
    rmSync(front, { recursive: true, force: true, maxRetries: 10 })
  }
}

const describeRoom = (
  { files, network, limits }: Allowed,
  { limit, memoryBytes, diskFloorBytes }: { limit: boolean; memoryBytes: number; diskFloorBytes: number },
): DrillRoom => ({
  files: files ? 'own' : 'shared',
  processes: files ? 'own' : 'shared',
  network: network ? 'own' : 'shared',
  memory: limit ? 'together' : limits ? 'each process' : 'not limited',
  memoryBytes,
  diskFloorBytes,
})

function keysOf(ring: KeyRing): readonly [string, ...string[]] {
  const [current, ...old] = ring.all().map(({ bytes }) => bytes.toString('hex'))
  if (!current) throw new Error('the ring is empty')
  return [current, ...old]
}

/** Twice what the database keeps free for itself, below which it only reads. */
function floorOf(place: string): number {
  const { blocks, bsize } = statfsSync(place)
  return 2 * Math.min(256 * MiB, Math.max(32 * MiB, Math.floor(blocks * bsize * 0.02)))
}

/** Tells it what to do, listens, and ends it when the disk becomes short, it takes too long or nobody wants it any more. */
function converse(
  [command = '', ...args]: readonly string[],
  order: Order,
  { place, signal, tell }: DrillSettings,
  known: Known,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: bareEnvironment(), cwd: '/' })
    let ended: Ended = {}
    let said = ''
    const stop = (problem: string): void => {
      ended = { problem, isUntried: true }
      child.kill('SIGKILL')
    }
    const floor = known.room?.diskFloorBytes ?? 0
    const watch = setInterval(() => {
      const { bavail, bsize } = statfsSync(place)
      if (bavail * bsize < floor)
        stop(`it was ended because the disk became short: less than ${Math.floor(floor / MiB)} MiB were free`)
    }, LOOK_MS)
    const late = setTimeout(() => stop('it was ended because it took too long'), LONGEST_MS)
    const abort = (): void => stop('it was ended')
    signal.addEventListener('abort', abort, { once: true })
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as AttemptLine
      if (line.kind === 'step') tell(line.step)
      else if (line.kind === 'planned') Object.assign(known, { bytes: line.bytes, segments: line.segments })
      else if (line.kind === 'passed') ended = { attempted: line.attempted }
      else ended = line
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000)
    })
    child.once('error', ({ message }) => stop(message))
    child.once('close', (code, by) => {
      clearInterval(watch)
      clearTimeout(late)
      signal.removeEventListener('abort', abort)
      const isSilent = !ended.attempted && !ended.problem
      resolve(
        isSilent
          ? { problem: `it was ended by ${by ?? code}: ${said.trim().split('\n').at(-1)}`, isUntried: true }
          : ended,
      )
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify(order))
    if (signal.aborted) abort()
  })
}

/** Short, so that sockets have a name there. Nobody else has this one as long as the lock is ours. */
const frontOf = (place: string): string =>
  join(tmpdir(), `seaworthy-drill-${createHash('sha256').update(place).digest('hex').slice(0, 12)}`)

/** Also of one that was killed: its files, and where it had no room of its own, its database. */
async function clear(place: string): Promise<void> {
  for (const part of ['data', '.data.restoring']) await killServerOf(join(place, part, 'database'))
  for (const path of [frontOf(place), place])
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}
