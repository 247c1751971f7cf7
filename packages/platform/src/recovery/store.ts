import { createHmac, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Secret } from '@seaworthy/core'
import {
  DamagedStreamError,
  decrypt,
  encrypt,
  type KeyRing,
  lengthPrefixed,
  sealStream,
  unsealStream,
} from '../vault/index.ts'
import { RefusedError, type Shelf } from './shelf.ts'

/** A shelf whose content is sealed: what is read is what was put under this key of this store, or an error says where not. */
export interface Store {
  readonly id: string
  readonly shelf: Shelf
  /** The installation that may write here. */
  readonly owner: string
  /** Of restic's repository. */
  readonly password: Secret
  /** Nothing that is there is written over, where the shelf can see to that, but the head. */
  put(key: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>
  /** Undefined when there is nothing. Reading throws `DamagedError`, which names the key, before a wrong byte is given out. */
  stream(key: string): Promise<AsyncIterable<Buffer> | undefined>
  read(key: string): Promise<Buffer | undefined>
}

/** Something in a store is not what was put there. */
export class DamagedError extends Error {
  readonly key: string
  constructor({ store, key, why }: { store: string; key: string; why: string }, options?: ErrorOptions) {
    super(
      `${key} in ${store} is damaged: ${why}.\n    HINT: restore from another store, or from another point`,
      options,
    )
    this.name = 'DamagedError'
    this.key = key
  }
}

/** The one file that is read before any key is there: the store's key, wrapped by each key of the ring. */
interface StoreFile {
  readonly format: 1
  readonly id: string
  readonly owner: string
  readonly wraps: readonly { readonly ringKey: string; readonly box: string }[]
}

const FILE = 'store.json'

/** What is written again and again, and what is deleted by who writes. All other keys are written once. */
export const CHANGING = { head: 'head.json', locks: 'restic/locks/' } as const

const wrapContext = (id: string, ringKey: string): Buffer => lengthPrefixed('seaworthy store key 1', id, ringKey)

/** Undefined where no store was made yet. Throws when the shelf cannot be reached, or when no key of the ring opens it. */
export async function openStore(shelf: Shelf, ring: KeyRing): Promise<Store | undefined> {
  await shelf.ping()
  const file = await readFile(shelf)
  if (!file) return undefined
  for (const { ringKey, box } of file.wraps) {
    const by = ring.find(ringKey)
    const key = by && decrypt(by.bytes, wrapContext(file.id, ringKey), box)
    if (key) return storeOf(shelf, file, key)
    if (by) throw new DamagedError({ store: shelf.name, key: FILE, why: `the key that ${ringKey} wraps was changed` })
  }
  throw new Error(
    `The store ${shelf.name} opens with none of these keys: ${ring
      .all()
      .map(({ id }) => id)
      .join(
        ', ',
      )}\n    HINT: it needs a recovery kit with one of ${file.wraps.map(({ ringKey }) => ringKey).join(', ')}`,
  )
}

/** Makes the store, or the wraps that are missing of the ring's present keys. Wraps of older keys stay: an old kit still opens it. */
export async function prepareStore(shelf: Shelf, ring: KeyRing, owner: string, takeOver = false): Promise<Store> {
  await shelf.ping()
  const file = await readFile(shelf)
  if (!file) return makeStore(shelf, ring, owner)
  const store = await openStore(shelf, ring)
  if (!store) throw new Error(`the store ${shelf.name} was taken away`)
  if (file.owner !== owner && !takeOver) throw new ForeignStoreError(shelf.name)
  const missing = ring.all().filter(({ id }) => !file.wraps.some(({ ringKey }) => ringKey === id))
  if (missing.length === 0 && file.owner === owner) return store
  const key = await keyOf(file, ring)
  const wraps = [...file.wraps, ...wrapsOf(file.id, key, missing)]
  await writeFile(shelf, { ...file, owner, wraps }).catch((cause: Error) => {
    if (!(cause instanceof RefusedError)) throw cause
    throw new Error(
      `${shelf.name} must be told of ${file.owner === owner ? 'a new key' : 'its new owner'}, and who writes there may change nothing.\n` +
        `    HINT: with the key that may: seaworthy ${file.owner === owner ? 'backups prune' : 'backup --take-over'}`,
      { cause },
    )
  })
  return storeOf(shelf, { ...file, owner }, key)
}

/** Another installation writes to the store. Two that both do would mix their histories. */
export class ForeignStoreError extends Error {
  constructor(name: string) {
    super(
      `The store ${name} belongs to another installation, or to the one that this one was restored from.\n` +
        `    HINT: when that one is gone for good: seaworthy backup --take-over`,
    )
    this.name = 'ForeignStoreError'
  }
}

/** Who may write there now; undefined where no store was made yet. */
export const ownerOf = async (shelf: Shelf): Promise<string | undefined> => (await readFile(shelf))?.owner

async function makeStore(shelf: Shelf, ring: KeyRing, owner: string): Promise<Store> {
  for await (const { key } of shelf.list(''))
    if (!key.startsWith('drafts/'))
      throw new Error(
        `${shelf.name} is no store of recovery points, and not empty: ${key} is there.\n    HINT: name an empty directory in BACKUP_STORES`,
      )
  const key = randomBytes(32)
  const id = randomBytes(8).toString('hex')
  const file: StoreFile = { format: 1, id, owner, wraps: wrapsOf(id, key, ring.all()) }
  await writeFile(shelf, file, true)
  return storeOf(shelf, file, key)
}

const wrapsOf = (id: string, key: Buffer, keys: ReturnType<KeyRing['all']>): StoreFile['wraps'] =>
  keys.map((by) => ({ ringKey: by.id, box: encrypt(by.bytes, wrapContext(id, by.id), key) }))

async function keyOf({ id, wraps }: StoreFile, ring: KeyRing): Promise<Buffer> {
  for (const { ringKey, box } of wraps) {
    const by = ring.find(ringKey)
    const key = by && decrypt(by.bytes, wrapContext(id, ringKey), box)
    if (key) return key
  }
  throw new Error('no key of the ring opens the store')
}

async function readFile(shelf: Shelf): Promise<StoreFile | undefined> {
  const bytes = await shelf.get(FILE)
  if (!bytes) return undefined
  try {
    const file = JSON.parse((await buffer(bytes)).toString()) as StoreFile
    if (file.format === 1 && file.id && Array.isArray(file.wraps)) return file
  } catch (cause) {
    throw new DamagedError({ store: shelf.name, key: FILE, why: 'it is not what a store begins with' }, { cause })
  }
  throw new DamagedError({ store: shelf.name, key: FILE, why: 'it is not what a store begins with' })
}

const writeFile = (shelf: Shelf, file: StoreFile, once = false): Promise<void> =>
  shelf.put(FILE, [Buffer.from(`${JSON.stringify(file, undefined, 2)}\n`)], { once })

function storeOf(shelf: Shelf, { id, owner }: StoreFile, key: Buffer): Store {
  const derived = (what: string): Buffer => createHmac('sha256', key).update(`seaworthy store ${what}`).digest()
  const sealKey = derived('objects')
  const contextOf = (name: string): Buffer => lengthPrefixed('seaworthy store 1', id, name)
  const stream = async (name: string): Promise<AsyncIterable<Buffer> | undefined> => {
    const sealed = await shelf.get(name)
    return sealed && naming(shelf.name, name, unsealStream(sealKey, contextOf(name), sealed))
  }
  return {
    id,
    shelf,
    owner,
    password: new Secret(derived('restic').toString('hex')),
    put: (name, bytes) =>
      shelf.put(name, sealStream(sealKey, contextOf(name), bytes), { once: name !== CHANGING.head }),
    stream,
    read: async (name) => {
      const bytes = await stream(name)
      return bytes && buffer(bytes)
    },
  }
}

async function* naming(store: string, key: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes
  } catch (error) {
    if (error instanceof DamagedStreamError)
      throw new DamagedError({ store: store, key: key, why: error.message }, { cause: error })
    throw error
  }
}
