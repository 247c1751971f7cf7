import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DeploySettings, deploy } from './deploy.ts'
import { type Layout, layoutOf, SLOTS, slotPath } from './layout.ts'
import { preflight } from './preflight.ts'
import { rollback } from './rollback.ts'
import { readSlots, servedBy } from './slots.ts'
import { checkoutSource, imageSource } from './source.ts'
import { deploySteps, readState } from './state.ts'
import { readStatus } from './status.ts'
import { type Behaviour, makeCheckout } from './testing/fake-checkout.ts'
import { type FakeEngine, makeEngine } from './testing/fake-engine.ts'
import { openTestHost } from './testing/open-host.ts'

const PASSWORD = 'a-password-of-the-database'
let directory: string
let layout: Layout
let engine: FakeEngine
let host: ReturnType<typeof openTestHost>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'images-'))
  layout = layoutOf(join(directory, 'srv'))
  mkdirSync(layout.shared, { recursive: true })
  engine = makeEngine(join(directory, 'engine'))
  writeFileSync(layout.environment, `DATABASE_URL=postgresql://owner:${PASSWORD}@host.containers.internal/none\n`)
  writeFileSync(layout.containerEnvironment, `CONTAINER_ENGINE=${engine.program}\n`)
  host = openTestHost(layout)
})
afterEach(async () => {
  for (const id of existsSync(layout.releases) ? readdirSync(layout.releases) : []) await host.runner.stop(id, 5_000)
  rmSync(directory, { recursive: true, force: true })
})

const always = { keepWarm: false, notify: async () => undefined, signal: new AbortController().signal }
const how = { readyMs: 20_000, bakeMs: 100, memoryBytesMax: 1024 ** 3, keep: 2, smoke: true, proxyUrl: undefined }
const imageWith = (name: string, behaviour?: Behaviour): string => {
  const reference = `localhost/boat:${name}`
  engine.addImage(reference, makeCheckout(join(directory, name), name, behaviour))
  return reference
}
const put = async (reference: string, more: Partial<DeploySettings> = {}) => {
  const source = await imageSource(host.containers, reference, () => undefined)
  return deploy(host, { ...how, ...always, source, ...more })
}
const served = () => servedBy(readSlots(layout))
const askSlot = (slot: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: slotPath(layout, slot), path: '/', agent: false }, (incoming) => {
      incoming.once('data', (chunk) => resolve(String(chunk)))
      incoming.once('error', reject)
    })
    outgoing.once('error', reject)
    outgoing.end()
  })

describe('deploy of an image', () => {
  it('moves every slot to its container, and lets the one before end', async () => {
    const first = await put(imageWith('one'))
    const second = await put(imageWith('two'))
    expect([first.outcome, second.outcome]).toEqual(['done', 'done'])
    expect(served()).toBe(second.target)
    for (let slot = 0; slot < SLOTS; slot++) expect(await askSlot(slot)).toBe('two')
    expect(await host.runner.isAlive(first.target)).toBe(false)
    expect(readState(layout).releases.at(-1)).toMatchObject({ image: 'localhost/boat:two', version: '1.0.0' })
  })

  it('takes over from processes, and a rollback gives back to them', async () => {
    const source = checkoutSource(layout, makeCheckout(join(directory, 'built'), 'built'))
    const before = await deploy(host, { ...how, ...always, source })
    const image = await put(imageWith('image'))
    expect([image.outcome, await askSlot(0)]).toEqual(['done', 'image'])
    expect(await host.runner.isAlive(before.target)).toBe(false)
    const back = await rollback(host, { ...always, readyMs: 20_000, release: undefined })
    expect([back.outcome, await askSlot(0)]).toEqual(['done', 'built'])
    expect(await host.runner.isAlive(image.target)).toBe(false)
  })

  it.each<[Behaviour, Partial<DeploySettings>, RegExp]>([
    ['crashes', {}, /it ended/],
    ['never-ready', { readyMs: 1_000 }, /not ready within/],
    ['lacks-key', {}, /not in the key ring: 0123456789abcdef/],
    ['fails-migration', {}, /migrate --json .*ended with 1/],
    ['fails-journey', {}, /journey .* ended/],
    ['hangs-later', { bakeMs: 30_000 }, /does not answer that it is ready/],
  ])('takes back one that %s, and says why', async (behaviour, more, why) => {
    const good = await put(imageWith('good'))
    const bad = await put(imageWith('bad', behaviour), more)
    expect(bad).toMatchObject({ outcome: 'failed', why: expect.stringMatching(why) })
    expect([served(), await askSlot(9)]).toEqual([good.target, 'good'])
    expect(await host.runner.isAlive(bad.target)).toBe(false)
  })

  it('gives each container what every container of the product has and nothing more, and no secret by its words', async () => {
    const { target } = await put(imageWith('one'))
    const told = engine.told()
    expect(told.map((words) => words.at(-1))).toEqual(['--json', '--json', 'start', expect.stringContaining('.sock')])
    for (const words of told) {
      expect(words).toEqual(expect.arrayContaining(['--read-only', '--cap-drop', 'ALL', 'no-new-privileges:true']))
      expect(words).toEqual(
        expect.arrayContaining(['--memory', '--cpus', '--pids-limit', '--user', '--network', 'boat']),
      )
      expect(words.join(' ')).not.toContain(PASSWORD)
    }
    const mounts = (told.at(-2) ?? []).filter((_, at, words) => words[at - 1] === '--volume')
    expect(mounts).toEqual([`${layout.data}:/data`, `${layout.run}/${target}.d:${layout.run}/${target}.d`])
    expect(readdirSync(layout.run).filter((name) => name.endsWith('.settings'))).toEqual([`${target}.settings`])
  })

  it('keeps the last images under names of its own, and removes the others with all that was theirs', async () => {
    const ids: string[] = []
    for (const name of ['one', 'two', 'three']) ids.push((await put(imageWith(name))).target)
    const kept = (id: string): boolean => engine.images().some((name) => name.endsWith(`:${id}`))
    expect(ids.map(kept)).toEqual([false, true, true])
    expect(readdirSync(layout.releases).sort()).toEqual(ids.slice(1).sort())
    expect(readdirSync(layout.run).filter((name) => name.includes(ids[0] ?? ''))).toEqual([])
  })
})

describe('what is not deployed', () => {
  const refused = (reference: string) => put(reference).catch((error: Error) => error.message)

  it('is a tag that this host does not have, or a digest that nobody gives', async () => {
    expect(await refused('registry.example.com/boat:1.0')).toMatch(/a tag is not pulled.*\n.*by its digest/)
    expect(await refused(`registry.example.com/boat@sha256:${'0'.repeat(64)}`)).toMatch(/cannot be pulled.*\n.*login/)
  })

  it('is an image for another machine', async () => {
    engine.addImage('localhost/boat:other', makeCheckout(join(directory, 'other'), 'other'), 's390x')
    expect(await put('localhost/boat:other')).toMatchObject({ outcome: 'failed', why: expect.stringMatching(/s390x/) })
  })

  it('is anything where there is no engine', async () => {
    writeFileSync(layout.containerEnvironment, `CONTAINER_ENGINE=${join(directory, 'nothing')}\n`)
    host = openTestHost(layout)
    expect(await refused('localhost/boat:one')).toMatch(/neither podman nor docker/)
  })

  it.each([
    ['127.0.0.1', /is the container itself/],
    ['database.example.com', /leads to this host only/],
  ])('is one whose database would be at %s, where its network does not lead', async (name, why) => {
    writeFileSync(layout.environment, `DATABASE_URL=postgresql://owner@${name}/none\n`)
    const reference = imageWith('one')
    expect(await put(reference)).toMatchObject({ outcome: 'failed', why: expect.stringMatching(why) })
    const source = await imageSource(host.containers, reference, () => undefined)
    const checks = await preflight(host, { proxyUrl: undefined, source })
    expect(checks.find(({ ok }) => !ok)).toMatchObject({ name: 'network', remedy: expect.any(String) })
  })
})

describe('a deploy of an image that was killed', () => {
  const killedAt = (step: string): Promise<NodeJS.Signals | null> =>
    new Promise((resolve) => {
      const program = join(import.meta.dirname, 'testing', 'deploy-once.ts')
      const args = ['--import', 'tsx', '-C', 'source', program, layout.root, imageWith('next'), step]
      spawn(process.execPath, args, { stdio: 'ignore' }).once('exit', (_code, signal) => resolve(signal))
    })

  it.each(deploySteps)('at %s leaves one whole release after the next command', async (step) => {
    const before = await put(imageWith('before'))
    expect(await killedAt(step)).toBe('SIGKILL')
    for (const id of new Set(readSlots(layout))) expect(await host.runner.isAlive(id ?? '')).toBe(true)
    const { state, running, slots: after } = await readStatus(host)
    const isNew = step === 'drain' || step === 'prune'
    expect(state.last).toMatchObject({ outcome: isNew ? 'resumed' : 'reverted', why: `interrupted at ${step}` })
    expect(servedBy(after) === before.target).toBe(!isNew)
    expect(running.map(({ id }) => id)).toEqual([servedBy(after)])
    expect((await put(imageWith('after'))).outcome).toBe('done')
    expect(await askSlot(0)).toBe('after')
  })
})
