import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyRing } from '../vault/index.ts'
import type { Places } from './places.ts'
import { isArchivedName, isHistoryName, isSegmentName } from './segments.ts'
import { type Shelf, TakenError } from './shelf.ts'
import { markOfErasures, shipErasures } from './state.ts'
import { CHANGING, ForeignStoreError, openStore, ownerOf, type Store } from './store.ts'
import { putWal, readWal } from './wal-object.ts'

export interface ShipParts {
  readonly places: Places
  readonly shelves: readonly Shelf[]
  readonly ring: KeyRing
  readonly identity: string
  readonly spoolBytesMax: number
  /** What each store has of the register of erasures, from one round to the next. */
  readonly erasures?: Map<string, string>
}

/** What one round of shipping did. */
export interface Shipped {
  readonly files: number
  readonly blobs: number
  /** What waits in the spool after it. */
  readonly waitingBytes: number
  /** When the oldest that waits was archived. In milliseconds since 1970. */
  readonly waitingSince: number | undefined
  /** Segments that were given up because the spool was full: the chain ends before the first of them. */
  readonly givenUp: readonly string[]
  /** What is wrong with each store that did not take everything. */
  readonly problems: readonly { readonly store: string; readonly problem: string }[]
  /** No store exists yet: nothing is archived until there is a first recovery point. */
  readonly isIdle: boolean
}

/** The newest segment of a store: what is missing before it is a gap, also at the end. */
export interface Head {
  readonly segment: string
  readonly at: number
}

const BLOBS_AT_ONCE = 4

/**
 * Brings to every store what the server has archived and what files were added, and only then removes it here. May be
 * interrupted anywhere, and run twice at once.
 */
export async function shipOnce(parts: ShipParts): Promise<Shipped> {
  const { places, shelves } = parts
  await Promise.all([places.spool, places.freshBlobs].map((path) => mkdir(path, { recursive: true, mode: 0o700 })))
  // Before the stores: what comes after somebody made one is never taken for older than it.
  const waiting = await readSpool(places.spool)
  const freshBlobs = (await readdir(places.freshBlobs)).filter((name) => blobForm.test(name))
  if (waiting.length + freshBlobs.length === 0 && (await isRegisterEverywhere(parts))) return nothing
  const opened = await Promise.all(shelves.map((shelf) => openForWriting(shelf, parts)))
  if (opened.every(({ state }) => state === 'none')) return discardAll(places, waiting, freshBlobs)
  const results = await Promise.all(opened.map((store) => shipTo(store, parts, waiting, freshBlobs)))
  const isEverywhere = (name: string): boolean => results.every(({ done }) => done.has(name))
  const shipped = waiting.filter(({ name }) => isEverywhere(name))
  for (const { name } of shipped) await rm(join(places.spool, name), { force: true })
  const fresh = results[0] ? [...results[0].blobs].filter((name) => results.every(({ blobs }) => blobs.has(name))) : []
  for (const name of fresh) await rm(join(places.freshBlobs, name), { force: true })
  const left = waiting.filter(({ name }) => !isEverywhere(name))
  const givenUp = await giveUp(places.spool, left, parts.spoolBytesMax)
  const kept = left.filter(({ name }) => !givenUp.includes(name))
  return {
    files: shipped.length,
    blobs: fresh.length,
    waitingBytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
    waitingSince: kept[0]?.at,
    givenUp,
    problems: results.flatMap(({ problem, store }) => (problem ? [{ store, problem }] : [])),
    isIdle: false,
  }
}

const nothing: Shipped = {
  files: 0,
  blobs: 0,
  waitingBytes: 0,
  waitingSince: undefined,
  givenUp: [],
  problems: [],
  isIdle: false,
}

/** Then nobody has to ask a store for anything: where a service is paid by the request, a quiet system costs nothing. */
async function isRegisterEverywhere({ places, shelves, erasures }: ShipParts): Promise<boolean> {
  if (!erasures || erasures.size < shelves.length) return false
  const mark = await markOfErasures(places.dataDirectory)
  return [...erasures.values()].every((known) => known === mark)
}

interface Waiting {
  readonly name: string
  readonly bytes: number
  readonly at: number
}

/** Histories first, then in the order of the log. */
async function readSpool(spool: string): Promise<readonly Waiting[]> {
  const names = (await readdir(spool)).filter(isArchivedName)
  names.sort((a, b) => Number(isHistoryName(b)) - Number(isHistoryName(a)) || (a < b ? -1 : 1))
  const found = await Promise.all(
    names.map(async (name) => {
      const file = await stat(join(spool, name)).catch(() => undefined)
      return file && { name, bytes: file.size, at: file.mtimeMs }
    }),
  )
  return found.filter((file) => file !== undefined)
}

type Opened =
  | { readonly state: 'open'; readonly store: Store; readonly name: string }
  | { readonly state: 'none'; readonly name: string }
  | { readonly state: 'failed'; readonly name: string; readonly problem: string }

async function openForWriting(shelf: Shelf, { ring, identity }: ShipParts): Promise<Opened> {
  const { name } = shelf
  try {
    await shelf.ping()
    const owner = await ownerOf(shelf)
    if (owner === undefined) return { state: 'none', name }
    if (owner !== identity) throw new ForeignStoreError(name)
    const store = await openStore(shelf, ring)
    return store ? { state: 'open', store, name } : { state: 'none', name }
  } catch (error) {
    return { state: 'failed', name, problem: (error as Error).message }
  }
}

interface Result {
  readonly store: string
  /** Files of the spool that are in this store now. */
  readonly done: ReadonlySet<string>
  readonly blobs: ReadonlySet<string>
  readonly problem?: string
}

async function shipTo(
  opened: Opened,
  { places, erasures }: ShipParts,
  waiting: readonly Waiting[],
  freshBlobs: readonly string[],
): Promise<Result> {
  const done = new Set<string>()
  const blobs = new Set<string>()
  if (opened.state !== 'open') {
    const problem = opened.state === 'failed' ? opened.problem : 'no recovery point was made there yet'
    return { store: opened.name, done, blobs, problem }
  }
  const { store, name } = opened
  try {
    for (const file of waiting) {
      await shipFile(store, places.spool, file)
      done.add(file.name)
    }
    const last = waiting.findLast((file) => isSegmentName(file.name))
    if (last) await advanceHead(store, { segment: last.name, at: last.at })
    await shipBlobs(store, places, freshBlobs, blobs)
    const mark = await shipErasures(store, places.dataDirectory, erasures?.get(store.id))
    erasures?.set(store.id, mark)
    return { store: name, done, blobs }
  } catch (error) {
    return { store: name, done, blobs, problem: (error as Error).message }
  }
}

/** What is there already stays, as long as it is the same: a second round after a crash, or another process beside us. */
async function shipFile(store: Store, spool: string, { name, at }: Waiting): Promise<void> {
  const bytes = await readFile(join(spool, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  // Another process has just brought it everywhere.
  if (!bytes) return
  const there = await readWal(store, name).catch(() => undefined)
  if (there && !there.bytes.equals(bytes))
    throw new Error(
      `${store.shelf.name} has another ${name}: two installations have written there.\n    HINT: seaworthy backup --take-over makes a new chain there`,
    )
  if (!there)
    await putWal(store, name, { bytes, at }).catch(async (error: Error) => {
      // Another process has brought it at this moment.
      const its = error instanceof TakenError ? await readWal(store, name) : undefined
      if (!its?.bytes.equals(bytes)) throw error
    })
}

async function advanceHead(store: Store, head: Head): Promise<void> {
  const known = await readHead(store).catch(() => undefined)
  if (known && known.segment >= head.segment) return
  await store.put(CHANGING.head, [Buffer.from(JSON.stringify(head))])
}

/** Undefined where no segment has come yet. Throws `DamagedError`. */
export async function readHead(store: Store): Promise<Head | undefined> {
  const bytes = await store.read(CHANGING.head)
  return bytes && (JSON.parse(bytes.toString()) as Head)
}

export const keyOfBlob = (account: string, hash: string): string => `blobs/${account}/${hash.slice(0, 2)}/${hash}`
const blobForm = /^([0-9a-f-]{36})\.([0-9a-f]{64})$/

async function shipBlobs(
  store: Store,
  { freshBlobs }: Places,
  names: readonly string[],
  done: Set<string>,
): Promise<void> {
  for (let at = 0; at < names.length; at += BLOBS_AT_ONCE)
    await Promise.all(
      names.slice(at, at + BLOBS_AT_ONCE).map(async (name) => {
        const [, account = '', hash = ''] = blobForm.exec(name) ?? []
        await shipBlob(store, keyOfBlob(account, hash), join(freshBlobs, name))
        done.add(name)
      }),
    )
}

/** Content never changes under its name: what is there is the same. */
export async function shipBlob(store: Store, key: string, path: string): Promise<void> {
  if ((await store.shelf.size(key)) !== undefined) return
  await store.put(key, createReadStream(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && !(error instanceof TakenError)) throw error
  })
}

/**
 * The disk of the running system comes before its archive: above the bound the oldest are given up, and with them the
 * chain. The next recovery point begins another.
 */
async function giveUp(spool: string, left: readonly Waiting[], bytesMax: number): Promise<readonly string[]> {
  let bytes = left.reduce((sum, file) => sum + file.bytes, 0)
  const givenUp: string[] = []
  for (const file of left) {
    if (bytes <= bytesMax) break
    await rm(join(spool, file.name), { force: true })
    givenUp.push(file.name)
    bytes -= file.bytes
  }
  return givenUp
}

/** Without a first recovery point nothing could ever be replayed over anything. The point brings all files itself. */
async function discardAll(
  { spool, freshBlobs }: Places,
  waiting: readonly Waiting[],
  blobs: readonly string[],
): Promise<Shipped> {
  for (const { name } of waiting) await rm(join(spool, name), { force: true })
  for (const name of blobs) await rm(join(freshBlobs, name), { force: true })
  return { files: 0, blobs: 0, waitingBytes: 0, waitingSince: undefined, givenUp: [], problems: [], isIdle: true }
}
