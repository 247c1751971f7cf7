import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { MINUTE, MiB, type Secret, showBytes } from '@seaworthy/core'
import { openHeadsFile } from '../audit/index.ts'
import {
  type EmbeddedServer,
  finishSwap,
  installBinaries,
  isServer,
  killServerOf,
  readPostmaster,
  recoverCluster,
  swapDatabase,
} from '../data/index.ts'
import { adoptKeys, type KeyRing } from '../vault/index.ts'
import { readBase } from './base-files.ts'
import { type Checked, checkRestored } from './check-restored.ts'
import type { Restic } from './drivers/restic.ts'
import { type KeptFiles, placeFiles, unpackFiles } from './kept-files.ts'
import { parseManifest } from './manifest.ts'
import { placesOf } from './places.ts'
import { filesKeyOf, type Point } from './point.ts'
import { type Plan, refuseGap } from './restore-plan.ts'
import { historyName, parseHistory, parseLsn, parseSegment } from './segments.ts'
import { readErasures } from './state.ts'
import { readWal } from './wal-object.ts'

/** Where what is restored goes. */
export type Destination =
  /** A directory that is empty or not there: a whole data directory. */
  | { readonly kind: 'beside'; readonly directory: string; readonly keys: readonly [Secret, ...Secret[]] }
  /** The database below this data directory; nothing may run there. The one that was there is kept. */
  | { readonly kind: 'in place'; readonly dataDirectory: string }

export interface RestoreSettings {
  readonly plan: Plan
  readonly destination: Destination
  readonly ring: KeyRing
  readonly restic: Restic
  /** Each step when it begins, and how far it is: 0 to 1. */
  readonly tell: (step: string, part?: number) => void
  /** Asked last, of the database that runs in the draft. What it throws ends the restore. */
  readonly alsoCheck?: (draft: { readonly server: EmbeddedServer; readonly dataDirectory: string }) => Promise<void>
}

export interface Restored {
  /** The data directory that has it now. */
  readonly dataDirectory: string
  /** The database that was there before, in place only. */
  readonly kept: string | undefined
  readonly checked: Checked
  readonly seconds: Readonly<Record<string, number>>
}

const REPLAY_MS = 24 * 60 * MINUTE
const SPARE_BYTES = 200 * MiB

/**
 * Restores beside everything that is there, opens the database, checks it, and only then gives it its name. Whatever
 * happens before, nothing but a draft is left, which the next restore removes.
 */
export async function restore(settings: RestoreSettings): Promise<Restored> {
  const { destination, plan, tell } = settings
  const clock = stopwatch(tell)
  const target = await prepareTarget(destination)
  try {
    clock.begin('check the disk')
    await refuseFullDisk(target.draft, plan)
    clock.begin('read the log')
    await fetchLog(plan, join(target.draft, 'log'), (part) => tell('read the log', part))
    clock.begin('read the base')
    await fetchBase(settings, join(target.draft, 'database'))
    clock.begin('bring files and keys')
    const files = await fetchFiles(plan)
    await placeDraftFiles(target, files, destination)
    clock.begin('replay the log')
    const server = await replay(plan, target, passwordOf(files))
    try {
      clock.begin('check the database')
      const checked = await checkRestored({ server, plan, ring: settings.ring, blobs: target.blobs, tell })
      await settings.alsoCheck?.({ server, dataDirectory: target.draft })
      await server.stop()
      clock.begin('take its place')
      const kept = await takePlace(target, destination)
      return { dataDirectory: target.final, kept, checked, seconds: clock.end() }
    } finally {
      await server.stop()
    }
  } catch (error) {
    await rm(target.draft, { recursive: true, force: true })
    throw error
  }
}

/** The database of an instant, open beside everything else for a look, until it is closed. */
export interface Past {
  readonly server: EmbeddedServer
  /** Nothing is left of it. */
  close(): Promise<void>
}

/** Brings no files. What an earlier one has left, also one that was killed, is removed first: one at a time. */
export async function openPast(dataDirectory: string, settings: Omit<RestoreSettings, 'destination'>): Promise<Past> {
  const { plan, ring, tell } = settings
  const draft = placesOf(dataDirectory).looking
  const target = { draft, final: draft, binaries: join(dataDirectory, 'postgres'), blobs: '' }
  await makeDraft(draft)
  try {
    await refuseFullDisk(draft, plan)
    tell('read the log')
    await fetchLog(plan, join(draft, 'log'), (part) => tell('read the log', part))
    tell('read the base')
    await fetchBase(settings, join(draft, 'database'))
    tell('replay the log')
    const server = await replay(plan, target, passwordOf(await fetchFiles(plan)))
    tell('check the database')
    await checkRestored({ server, plan, ring, blobs: undefined, tell })
    return { server, close: () => closePast(dataDirectory) }
  } catch (error) {
    await closePast(dataDirectory)
    throw error
  }
}

/** Whatever is left of a look at the past: its server, its files. */
export async function closePast(dataDirectory: string): Promise<void> {
  const draft = placesOf(dataDirectory).looking
  await killServerOf(join(draft, 'database'))
  await rm(draft, { recursive: true, force: true, maxRetries: 10 })
}

interface TargetPlaces {
  readonly draft: string
  readonly final: string
  readonly binaries: string
  /** Where files of accounts go: content never changes under its name, so they may be brought into a directory in use. */
  readonly blobs: string
}

async function prepareTarget(destination: Destination): Promise<TargetPlaces> {
  if (destination.kind === 'beside') {
    const final = destination.directory
    await refuseUsed(final)
    const draft = join(dirname(final), `.${basename(final)}.restoring`)
    await makeDraft(draft)
    return { draft, final, binaries: join(draft, 'postgres'), blobs: join(draft, 'blobs') }
  }
  const final = destination.dataDirectory
  refuseRunning(final)
  // What an earlier one had begun to exchange is in the draft that is about to be removed.
  finishSwap(final)
  const draft = join(final, 'recovery', 'restoring')
  await makeDraft(draft)
  return { draft, final, binaries: join(final, 'postgres'), blobs: placesOf(final).blobs }
}

/** One that was killed may have left its files, and a server on them. */
async function makeDraft(draft: string): Promise<void> {
  await killServerOf(join(draft, 'database'))
  await rm(draft, { recursive: true, force: true, maxRetries: 10 })
  await mkdir(draft, { recursive: true, mode: 0o700 })
}

async function refuseUsed(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.length)
    throw new Error(
      `${directory} is not empty: ${names.slice(0, 3).join(', ')}.\n    HINT: name a directory that is empty or not there: --into DIRECTORY`,
    )
}

/** Nothing takes the place of a database that is in use. */
export function refuseRunning(dataDirectory: string): void {
  const running = readPostmaster(join(dataDirectory, 'database'))
  if (running && isServer(running.pid))
    throw new Error(
      `The database in ${dataDirectory} is in use, by process ${running.pid}.\n    HINT: stop it first, or restore beside it: --into DIRECTORY`,
    )
}

async function refuseFullDisk(directory: string, { point, chain }: Plan): Promise<void> {
  const needed = neededBytes(point, chain.segments.length) + SPARE_BYTES
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < needed)
    throw new Error(
      `The restore needs ${showBytes(needed)} in ${directory}, where ${showBytes(bavail * bsize)} are free.\n    HINT: make space, or name another disk: --into DIRECTORY`,
    )
}

/** An upper bound: segments that the clock ended are stored with holes. */
export const neededBytes = ({ base, log, blobs }: Point, segments: number): number =>
  base.bytes + segments * log.segmentBytes + blobs.bytes

const AT_ONCE = 8

/** Every segment is opened and so checked before the first one is replayed. */
async function fetchLog({ store, chain, point }: Plan, directory: string, tell: (part: number) => void): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const names = [...chain.histories, ...chain.segments]
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const fetched = await Promise.allSettled(
      names.slice(at, at + AT_ONCE).map(async (name) => {
        const file = await readWal(store, name)
        if (!file) throw new Error(`The log has a gap in ${store.shelf.name}: ${name} is missing.`)
        if (!name.endsWith('.history') && file.bytes.length !== point.log.segmentBytes)
          throw new Error(`The segment ${name} in ${store.shelf.name} has ${file.bytes.length} bytes: it was cut off.`)
        await writeSparse(join(directory, name), file.bytes)
      }),
    )
    // Only when all have ended: a draft into which something is still written cannot be removed.
    for (const piece of fetched) if (piece.status === 'rejected') throw piece.reason
    tell(at / names.length)
  }
}

/** Zeros at the end take no room on the disk. */
async function writeSparse(path: string, bytes: Buffer): Promise<void> {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  const file = await open(path, 'wx', 0o600)
  try {
    await file.write(bytes.subarray(0, end))
    await file.truncate(bytes.length)
  } finally {
    await file.close()
  }
}

async function fetchBase(
  { plan, restic, tell }: Omit<RestoreSettings, 'destination'>,
  directory: string,
): Promise<void> {
  const { store, point } = plan
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const manifestFile = await restic.open(store, point.base.snapshot, 'backup_manifest')
  const chunks: Buffer[] = []
  for await (const chunk of manifestFile.bytes) chunks.push(chunk as Buffer)
  await naming(manifestFile.done, plan)
  const base = await restic.open(store, point.base.snapshot, 'base.tar')
  let [read, told] = [0, 0]
  const onBytes = (bytes: number): void => {
    read += bytes
    if (read - told < 8 * MiB) return
    told = read
    tell('read the base', read / point.base.bytes)
  }
  try {
    await readBase(base.bytes, parseManifest(Buffer.concat(chunks)), { directory, onBytes })
  } catch (error) {
    // It says what is wrong in the repository; what was read only ended too early.
    await naming(base.done, plan)
    throw new Error(`The base of ${point.id} in ${store.shelf.name}: ${(error as Error).message}`, { cause: error })
  }
  await naming(base.done, plan)
}

const naming = (work: Promise<void>, { point, store }: Plan): Promise<void> =>
  work.catch((cause: Error) => {
    throw new Error(
      `The base of ${point.id} in ${store.shelf.name} is damaged: ${cause.message}\n    HINT: restore from another store, or an older point: --point ID`,
      { cause },
    )
  })

async function fetchFiles({ store, point }: Plan): Promise<KeptFiles> {
  const bytes = await store.read(filesKeyOf(point.id))
  if (!bytes) throw new Error(`The files of ${point.id} are missing in ${store.shelf.name}.`)
  const files = new Map(unpackFiles(bytes))
  // Who was erased since then stays erased.
  const erasures = await readErasures(store)
  if (erasures) files.set(join('privacy', 'erasures.jsonl'), Buffer.from(erasures))
  return files
}

const passwordOf = (files: KeptFiles): string =>
  files.get(join('secrets', 'DATABASE_ADMIN_PASSWORD'))?.toString().trim() ?? ''

/** In place everything but the database is newer than what was kept, and stays. */
async function placeDraftFiles({ draft }: TargetPlaces, files: KeptFiles, destination: Destination): Promise<void> {
  if (destination.kind === 'in place') return
  await placeFiles(draft, files)
  adoptKeys({ dataDirectory: draft }, destination.keys)
}

async function replay(plan: Plan, target: TargetPlaces, password: string): Promise<EmbeddedServer> {
  installBinaries(target.binaries)
  const start = (isBounded: boolean): Promise<EmbeddedServer> =>
    recoverCluster({
      cluster: join(target.draft, 'database'),
      binariesDirectory: target.binaries,
      password,
      walDirectory: join(target.draft, 'log'),
      archiveDirectory: join(target.draft, 'recovery', 'spool'),
      timeline: plan.chain.timeline,
      target: isBounded ? targetOf(plan) : {},
      patienceMs: REPLAY_MS,
    })
  const server = await start(true).catch(async (error: Error) => {
    if (!/before configured recovery target was reached/.test(error.message)) throw error
    refuseUnreached(plan)
    // Nothing was written between the last of the log and the instant: all of it is what was asked for.
    return start(false)
  })
  try {
    await refuseEarlyEnd(plan, join(target.draft, 'recovery', 'spool'))
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

function targetOf({ target }: Plan): { time?: string; transaction?: string } {
  if (target.kind === 'time') return { time: target.time.toISOString().replace('T', ' ').replace('Z', '+00') }
  return target.kind === 'transaction' ? { transaction: target.id } : {}
}

function refuseUnreached(plan: Plan): void {
  const { target, chain } = plan
  if (target.kind === 'transaction')
    throw new Error(
      `The transaction ${target.id} is not in the log${chain.gap ? `, which has a gap at ${chain.gap}` : ''}.\n    HINT: --to with an instant`,
    )
  if (chain.gap) refuseGap({ ...plan, until: new Date(0) })
}

/** PostgreSQL opens the database where it finds no more log, whatever was left. Its new timeline says where that was. */
async function refuseEarlyEnd({ chain, target, point }: Plan, spool: string): Promise<void> {
  const last = chain.segments.at(-1)
  if ((target.kind !== 'latest' && target.kind !== 'before gap') || !last) return
  const history = (await readdir(spool))
    .filter((name) => name.endsWith('.history'))
    .sort()
    .at(-1)
  const forks = history ? parseHistory(await readFile(join(spool, history), 'utf8')) : []
  const end = forks.at(-1)?.endLsn
  const { segmentBytes } = point.log
  if (!end || parseLsn(end) <= parseSegment(last, segmentBytes).number * segmentBytes)
    throw new Error(`The log ended at ${end ?? historyName(chain.timeline)}, before its last segment ${last}.`)
}

async function takePlace({ draft, final }: TargetPlaces, destination: Destination): Promise<string | undefined> {
  await rm(join(draft, 'log'), { recursive: true, force: true, maxRetries: 10 })
  const heads = openHeadsFile(join(destination.kind === 'in place' ? final : draft, 'audit'))
  if (destination.kind === 'beside') {
    await heads.addRestored(new Date())
    await rm(join(draft, 'database.port'), { force: true })
    await rename(draft, final)
    return undefined
  }
  refuseRunning(final)
  const kept = `database.before-${new Date().toISOString().replace(/[:.]/g, '-')}-${randomBytes(2).toString('hex')}`
  const inside = (name: string): string => join('recovery', 'restoring', name)
  const hadDatabase = existsSync(join(final, 'database'))
  swapDatabase(final, { restored: inside('database'), kept, archived: inside(join('recovery', 'spool')) })
  await heads.addRestored(new Date())
  await rm(draft, { recursive: true, force: true, maxRetries: 10 })
  return hadDatabase ? join(final, kept) : undefined
}

function stopwatch(tell: (step: string) => void) {
  const seconds: Record<string, number> = {}
  let [name, since] = ['', performance.now()]
  const close = (): void => {
    if (name) seconds[name] = Math.round(performance.now() - since) / 1_000
  }
  return {
    begin: (next: string): void => {
      close()
      ;[name, since] = [next, performance.now()]
      tell(next)
    },
    end: (): Readonly<Record<string, number>> => {
      close()
      return seconds
    },
  }
}
