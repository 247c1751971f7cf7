import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DeploySettings, deploy } from './deploy.ts'
import type { Host } from './host.ts'
import { type Layout, layoutOf, SLOTS, slotPath } from './layout.ts'
import { LockedError, takeLock } from './lock.ts'
import { rollback } from './rollback.ts'
import { readSlots, servedBy } from './slots.ts'
import { checkoutSource } from './source.ts'
import { deploySteps, readState, updateState } from './state.ts'
import { readStatus } from './status.ts'
import { type Behaviour, makeCheckout } from './testing/fake-checkout.ts'
import { openTestHost } from './testing/open-host.ts'

let directory: string
let layout: Layout
let host: Host

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'host-'))
  layout = layoutOf(join(directory, 'srv'))
  mkdirSync(layout.shared, { recursive: true })
  writeFileSync(layout.environment, 'DATABASE_URL=postgresql://127.0.0.1/none\n')
  host = openTestHost(layout)
})
afterEach(async () => {
  for (const id of existsSync(layout.releases) ? readdirSync(layout.releases) : []) await host.runner.stop(id, 5_000)
  rmSync(directory, { recursive: true, force: true })
})

const checkout = (name: string, behaviour?: Behaviour): string => makeCheckout(join(directory, name), name, behaviour)
const settings = (source: string, more: Partial<DeploySettings> = {}): DeploySettings => ({
  source: checkoutSource(layout, source),
  readyMs: 20_000,
  bakeMs: 100,
  memoryBytesMax: 1024 ** 3,
  keep: 2,
  keepWarm: false,
  smoke: true,
  proxyUrl: undefined,
  notify: async () => undefined,
  signal: new AbortController().signal,
  ...more,
})
const back = { readyMs: 20_000, keepWarm: false, notify: async () => undefined, signal: new AbortController().signal }
const put = (name: string, more?: Partial<DeploySettings>, behaviour?: Behaviour) =>
  deploy(host, settings(checkout(name, behaviour), more))
const served = () => servedBy(readSlots(layout))
/** As nginx asks: by the link of a slot. */
const askSlot = (slot: number, accept = '*/*'): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = { socketPath: slotPath(layout, slot), path: '/', agent: false, headers: { accept } }
    const outgoing = request(asked, (incoming) => {
      let text = ''
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.once('end', () => resolve(text))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })

describe('deploy on one host', () => {
  it('moves every slot to the new release, and lets the old one end', async () => {
    const first = await put('one')
    const second = await put('two')
    expect([first.outcome, second.outcome]).toEqual(['done', 'done'])
    expect(served()).toBe(second.target)
    for (let slot = 0; slot < SLOTS; slot++) expect(await askSlot(slot)).toBe('two')
    expect(await host.runner.isAlive(first.target)).toBe(false)
    expect(readState(layout)).toMatchObject({ serving: second.target, previous: first.target })
  })

  it.each<[Behaviour, Partial<DeploySettings>, RegExp]>([
    ['crashes', {}, /it ended/],
    ['never-ready', { readyMs: 1_000 }, /not ready within/],
    ['fails-migration', {}, /migrate --json .*ended with 1/],
    ['fails-journey', {}, /journey .* ended with 1/],
    ['hangs-later', { bakeMs: 30_000 }, /does not answer that it is ready/],
  ])('takes back a release that %s, and says why', async (behaviour, more, why) => {
    const good = await put('good')
    const bad = await deploy(host, settings(checkout('bad', behaviour), more))
    expect(bad).toMatchObject({ outcome: 'failed', why: expect.stringMatching(why) })
    expect(served()).toBe(good.target)
    expect(await askSlot(9)).toBe('good')
    expect(await host.runner.isAlive(bad.target)).toBe(false)
    expect(readState(layout).serving).toBe(good.target)
    expect(readState(layout).releases.find(({ id }) => id === bad.target)?.bad).toMatch(why)
  })

  it('tells the link that makes the first operator once, and asks for none until it has ended', async () => {
    const told: string[] = []
    const tell: Host['tell'] = (_step, text) => void told.push(text)
    for (const name of ['one', 'two', 'three']) await deploy({ ...host, tell }, settings(checkout(name)))
    expect(told.filter((text) => text.includes('makes the first operator'))).toHaveLength(1)
    updateState(layout, (state) => ({ ...state, operatorLinkAt: '2020-01-01T00:00:00.000Z' }))
    await deploy({ ...host, tell }, settings(checkout('four')))
    expect(told.filter((text) => text.includes('makes the first operator'))).toHaveLength(2)
  })

  it('copies nothing where the database does not answer', async () => {
    const good = await put('good')
    const bad = await put('bad', {}, 'finds-no-database')
    expect(bad).toMatchObject({ outcome: 'failed', why: expect.stringMatching(/migrate --dry-run/) })
    expect(bad.steps.map(({ name }) => name)).toEqual(['preflight'])
    expect(readdirSync(layout.releases)).toEqual([good.target])
  })

  it('copies nothing where a key is missing that the database is sealed with, and names it', async () => {
    const good = await put('good')
    const bad = await put('bad', {}, 'lacks-key')
    expect(bad).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(/not in the key ring: 0123456789abcdef/),
    })
    expect(readdirSync(layout.releases)).toEqual([good.target])
  })

  it('takes back a release that fails the requests of a canary, which had one slot only', async () => {
    const good = await put('good')
    for (let i = 0; i < 50; i++) await askSlot(3)
    const slots = new Set<string>()
    const asking = setInterval(() => {
      slots.add(readSlots(layout).join())
      void askSlot(0).catch(() => undefined)
    }, 10)
    const canary = { share: 0.1, forMs: 20_000 }
    const bad = await deploy(host, settings(checkout('bad', 'errors'), { canary })).finally(() => clearInterval(asking))
    expect(bad).toMatchObject({ outcome: 'failed', why: expect.stringMatching(/requests failed/) })
    expect(served()).toBe(good.target)
    const canarySlots = [bad.target, ...Array<string>(SLOTS - 1).fill(good.target)].join()
    expect(slots).toContain(canarySlots)
    expect([...slots].some((line) => line.split(',')[1] === bad.target)).toBe(false)
  })

  it('takes back a release whose pages fail, though its API answers', async () => {
    const good = await put('good')
    for (let i = 0; i < 30; i++) await Promise.all([askSlot(3), askSlot(3, 'text/html')])
    const asking = setInterval(() => void Promise.all([askSlot(0), askSlot(0, 'text/html')]).catch(() => undefined), 20)
    const bad = await deploy(host, settings(checkout('bad', 'fails-pages'), { bakeMs: 20_000 })).finally(() =>
      clearInterval(asking),
    )
    expect(bad).toMatchObject({ outcome: 'failed', why: expect.stringMatching(/requests failed/) })
    expect(served()).toBe(good.target)
  })

  it('goes back when it is told to while it watches', async () => {
    const good = await put('good')
    const abort = new AbortController()
    const tell: Host['tell'] = (step) => void (step === 'bake' && setTimeout(() => abort.abort(), 50))
    const source = checkout('late')
    const outcome = await deploy({ ...host, tell }, settings(source, { bakeMs: 60_000, signal: abort.signal }))
    expect(outcome.outcome).toBe('failed')
    expect(served()).toBe(good.target)
  })

  it('refuses a second one meanwhile, and says who holds it', async () => {
    mkdirSync(layout.run, { recursive: true })
    const unlock = await takeLock(layout, 'deploy', 'anna@console')
    const refused = await put('one').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(LockedError)
    expect((refused as Error).message).toContain(`by anna@console`)
    expect((refused as Error).message).toContain(`process ${process.pid}`)
    await unlock()
    expect((await put('one')).outcome).toBe('done')
  })

  it('keeps what is installed once, and nothing that only builds', async () => {
    const { target } = await put('one')
    const file = (name: string): string => join(layout.releases, target, 'node_modules', name, 'index.js')
    expect(statSync(file('runs')).ino).toBe(statSync(join(directory, 'one/node_modules/runs/index.js')).ino)
    expect(existsSync(file('builds'))).toBe(false)
  })

  it('keeps the last releases, and always those that one may go back to', async () => {
    const ids = []
    for (const name of ['one', 'two', 'three', 'four']) ids.push((await put(name)).target)
    expect(readdirSync(layout.releases).sort()).toEqual(ids.slice(2).sort())
    expect(readState(layout).releases.map(({ id }) => id)).toEqual(ids.slice(2))
  })
})

describe('rollback on one host', () => {
  it('is a switch to a release that is kept warm, and the next deploy lets that one end', async () => {
    const first = await put('one')
    await put('two', { keepWarm: true })
    expect(await host.runner.isAlive(first.target)).toBe(true)
    const done = await rollback(host, { ...back, release: undefined, keepWarm: true })
    expect(done).toMatchObject({ outcome: 'done', target: first.target })
    expect(done.steps.map(({ name }) => name)).not.toContain('start')
    expect(await askSlot(5)).toBe('one')
  })

  it('starts a release that ended before it gives it traffic', async () => {
    const first = await put('one')
    const second = await put('two')
    const done = await rollback(host, { ...back, release: undefined })
    expect(done.steps.map(({ name }) => name)).toEqual(['start', 'ready', 'switch', 'drain'])
    expect(served()).toBe(first.target)
    expect(await host.runner.isAlive(second.target)).toBe(false)
  })

  it('refuses a release that is not here, and changes nothing', async () => {
    const { target } = await put('one')
    await expect(rollback(host, { ...back, release: 'other' })).rejects.toThrow(/no release other/)
    expect(served()).toBe(target)
  })
})

describe('a deploy that was killed', () => {
  const killedAt = (step: string, ...first: readonly string[]): Promise<NodeJS.Signals | null> =>
    new Promise((resolve) => {
      const program = join(import.meta.dirname, 'testing', 'deploy-once.ts')
      const args = ['--import', 'tsx', '-C', 'source', ...first, program, layout.root, checkout('next'), step]
      spawn(process.execPath, args, {
        stdio: 'ignore',
      }).once('exit', (_code, signal) => resolve(signal))
    })

  it.each(deploySteps)('at %s leaves one whole release after the next command', { timeout: 120_000 }, async (step) => {
    const before = await put('before')
    expect(await killedAt(step)).toBe('SIGKILL')
    const slots = new Set(readSlots(layout))
    for (const id of slots) expect(await host.runner.isAlive(id ?? '')).toBe(true)
    const { state, running, slots: after } = await readStatus(host)
    const isNew = step === 'drain' || step === 'prune'
    expect(state.last?.outcome).toBe(isNew ? 'resumed' : 'reverted')
    expect(state.last?.why).toBe(`interrupted at ${step}`)
    expect(servedBy(after) === before.target).toBe(!isNew)
    expect(running.map(({ id }) => id)).toEqual([servedBy(after)])
    expect((await put('next')).outcome).toBe('done')
    expect(await askSlot(0)).toBe('next')
  })

  it('between two links leaves every link with a release that runs, and the next command moves them back', async () => {
    const before = await put('before')
    const killer = join(import.meta.dirname, 'testing', 'kill-between-links.ts')
    expect(await killedAt('never', '--import', killer)).toBe('SIGKILL')
    const divided = new Set(readSlots(layout))
    expect(divided.size).toBe(2)
    for (const id of divided) expect(await host.runner.isAlive(id ?? '')).toBe(true)
    const { state, running, slots } = await readStatus(host)
    expect(state.last).toMatchObject({ outcome: 'reverted', why: 'interrupted at switch' })
    expect(servedBy(slots)).toBe(before.target)
    expect(running.map(({ id }) => id)).toEqual([before.target])
  }, 120_000)
})
