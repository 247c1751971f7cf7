import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@seaworthy/core'
import { until } from '@seaworthy/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDiskStore } from '../media/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { ringOf } from '../vault/index.ts'
import { openDirectoryShelf } from './drivers/directory.ts'
import { type Places, placesOf } from './places.ts'
import { keyOfWal } from './segments.ts'
import type { Shelf } from './shelf.ts'
import { keyOfBlob, type Shipped, shipOnce } from './ship.ts'
import { keepShipping, readShippingStatus } from './shipper.ts'
import { readErasures } from './state.ts'
import { openStore, prepareStore } from './store.ts'
import { readWal } from './wal-object.ts'

const ring = ringOf(new Secret(randomBytes(32).toString('hex')))
const SEGMENT_BYTES = 1_048_576
const nameOf = (number: number): string => `00000001000000000000000${number}`

describe('the archive', () => {
  let root: string
  let places: Places
  let shelves: readonly Shelf[]
  const away = (): string => join(root, 'away')
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'ship-'))
    places = placesOf(join(root, 'data'))
    mkdirSync(places.spool, { recursive: true })
    const directories = [join(root, 'one'), join(root, 'two')]
    for (const directory of directories) mkdirSync(directory)
    shelves = directories.map(openDirectoryShelf)
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const make = async (): Promise<void> => {
    for (const shelf of shelves) await prepareStore(shelf, ring, 'us')
  }
  const ship = (spoolBytesMax = 100 * SEGMENT_BYTES, identity = 'us'): Promise<Shipped> =>
    shipOnce({ places, shelves, ring, identity, spoolBytesMax })
  const write = (number: number): Buffer => {
    const bytes = Buffer.concat([randomBytes(1_000), Buffer.alloc(SEGMENT_BYTES - 1_000)])
    writeFileSync(join(places.spool, nameOf(number)), bytes)
    return bytes
  }
  const waiting = (): string[] => readdirSync(places.spool).sort()
  async function read(index: number, number: number): Promise<Buffer | undefined> {
    const shelf = shelves[index]
    const store = shelf && (await openStore(shelf, ring))
    return store && (await readWal(store, nameOf(number)))?.bytes
  }

  it('stays known to be cut after a restart, until a new point comes', async () => {
    await make()
    const cutAt = Date.now()
    mkdirSync(places.recovery, { recursive: true })
    writeFileSync(join(places.recovery, 'shipping.json'), JSON.stringify({ cutAt }))
    const stopping = new AbortController()
    const shipping = keepShipping(
      { places, shelves, ring, identity: 'us', spoolBytesMax: SEGMENT_BYTES },
      createMemoryLogger(),
      stopping.signal,
    )
    const status = await until('it was looked after', async () => {
      const now = await readShippingStatus(places)
      return now?.isIdle === undefined ? undefined : now
    })
    stopping.abort()
    await shipping
    expect(status.cutAt).toBe(cutAt)
  })

  it('is in every store, byte by byte and without its zeros, before anything is removed here', async () => {
    await make()
    const bytes = write(1)
    renameSync(join(root, 'two'), away())
    expect((await ship()).problems).toMatchObject([{ store: join(root, 'two') }])
    expect(waiting()).toEqual([nameOf(1)])
    expect((await read(0, 1))?.equals(bytes)).toBe(true)
    expect(existsSync(join(root, 'two'))).toBe(false)
    renameSync(away(), join(root, 'two'))
    expect(await ship()).toMatchObject({ files: 1, problems: [], waitingBytes: 0 })
    expect(waiting()).toEqual([])
    expect((await read(1, 1))?.equals(bytes)).toBe(true)
    expect(await shelves[0]?.size(keyOfWal(nameOf(1)))).toBeLessThan(1_200)
  })

  it('never fills the disk: above the bound the oldest is given up and named', async () => {
    await make()
    for (const number of [1, 2, 3, 4]) write(number)
    renameSync(join(root, 'two'), away())
    const shipped = await ship(2 * SEGMENT_BYTES)
    expect(shipped.givenUp).toEqual([nameOf(1), nameOf(2)])
    expect(waiting()).toEqual([nameOf(3), nameOf(4)])
    expect(shipped.waitingBytes).toBe(2 * SEGMENT_BYTES)
  })

  it('takes what is there already when it is the same, and nothing that is another', async () => {
    await make()
    const bytes = write(1)
    await ship()
    writeFileSync(join(places.spool, nameOf(1)), bytes)
    expect(await ship()).toMatchObject({ files: 1, problems: [] })
    write(1)
    const { problems } = await ship()
    expect(problems[0]?.problem).toMatch(/another 000000010000000000000001/)
    expect(waiting()).toEqual([nameOf(1)])
    expect((await read(0, 1))?.equals(bytes)).toBe(true)
  })

  it('does not go into a store of another installation', async () => {
    await make()
    write(1)
    const { problems } = await ship(100 * SEGMENT_BYTES, 'them')
    expect(problems).toHaveLength(2)
    expect(problems[0]?.problem).toMatch(/belongs to another installation/)
    expect(await read(0, 1)).toBeUndefined()
  })

  it('keeps nothing while there is no recovery point that it could be replayed over', async () => {
    write(1)
    expect(await ship()).toMatchObject({ isIdle: true, waitingBytes: 0 })
    expect(waiting()).toEqual([])
  })

  it('has each file of an account from the moment it is there', async () => {
    await make()
    const account = '0198c5a0-0000-7000-8000-000000000001'
    const hash = 'ab'.repeat(32)
    const blobs = await openDiskStore(places.blobs, places.freshBlobs)
    await blobs.putBytes(`${account}/${hash}`, Buffer.from('a photo'))
    // Gone again before anybody looked: an instant in between still has it.
    await blobs.delete(`${account}/${hash}`)
    expect(await ship()).toMatchObject({ blobs: 1, problems: [] })
    expect(readdirSync(places.freshBlobs)).toEqual([])
    for (const shelf of shelves) {
      const store = await openStore(shelf, ring)
      expect((await store?.read(keyOfBlob(account, hash)))?.toString()).toBe('a photo')
    }
  })

  it('asks no store for anything while there is nothing to bring', async () => {
    await make()
    const erasures = new Map<string, string>()
    let asked = 0
    const counted = shelves.map((shelf): Shelf => {
      const ping = (): Promise<void> => {
        asked++
        return shelf.ping()
      }
      return { ...shelf, ping }
    })
    const ship = () =>
      shipOnce({ places, shelves: counted, ring, identity: 'us', spoolBytesMax: SEGMENT_BYTES, erasures })
    await ship()
    expect(asked).toBeGreaterThan(0)
    asked = 0
    expect(await ship()).toMatchObject({ isIdle: false, problems: [] })
    expect(asked).toBe(0)
    write(1)
    expect(await ship()).toMatchObject({ files: 1 })
    mkdirSync(join(places.dataDirectory, 'privacy'))
    writeFileSync(join(places.dataDirectory, 'privacy', 'erasures.jsonl'), '{"userId":"a"}\n')
    asked = 0
    await ship()
    expect(asked).toBeGreaterThan(0)
  })

  it('has who was erased in pieces, each once, and gives out every line whatever came to them', async () => {
    await make()
    const register = join(places.dataDirectory, 'privacy', 'erasures.jsonl')
    mkdirSync(join(places.dataDirectory, 'privacy'))
    const erasures = new Map<string, string>()
    const ship = () => shipOnce({ places, shelves, ring, identity: 'us', spoolBytesMax: SEGMENT_BYTES, erasures })
    writeFileSync(register, '{"userId":"a"}\n{"userId":"b"}\n{"userI')
    await ship()
    appendFileSync(register, 'd":"c"}\n')
    await ship()
    await ship()
    // As after a restart.
    erasures.clear()
    await ship()
    for (const shelf of shelves) {
      const store = await openStore(shelf, ring)
      if (!store) throw new Error('no store')
      expect(await readErasures(store)).toBe('{"userId":"a"}\n{"userId":"b"}\n{"userId":"c"}\n')
      const pieces = []
      for await (const { key } of shelf.list('state/')) pieces.push(key)
      expect(pieces).toHaveLength(3)
    }
  })

  it('opens with a key of the ring of any time, and says which it needs when there is none', async () => {
    await make()
    const [shelf] = shelves
    if (!shelf) throw new Error('no shelf')
    const newer = ringOf(new Secret(randomBytes(32).toString('hex')), new Secret(ring.current().bytes.toString('hex')))
    await prepareStore(shelf, newer, 'us')
    expect(await openStore(shelf, ring)).toBeDefined()
    expect(await openStore(shelf, ringOf(new Secret(newer.current().bytes.toString('hex'))))).toBeDefined()
    await expect(openStore(shelf, ringOf(new Secret('12'.repeat(32))))).rejects.toThrow(ring.current().id)
  })
})
