import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import type { Sabotage } from '../sabotage.ts'
import { openBrowser } from './browser.ts'
import { applyPatch, copyProduct } from './copy.ts'
import { findProgram, type ProgramName } from './programs.ts'
import { launch, type Stack, type StackSettings, startStack } from './stack.ts'

type OwnStackSettings = Pick<StackSettings, 'environment' | 'under'>

/** What an experiment works with. What it starts is stopped when it ends, whatever happens. */
export interface Rig {
  /** Of the randomness of this run; the same seed makes the same choices. */
  readonly seed: number
  /** From 0 up to 1. */
  random(): number
  /** The copy of the product that is judged. */
  readonly product: string
  /** A directory that is removed afterwards. */
  readonly scratch: string
  /** One that other experiments use at the same time: leave it as it was. */
  service(): Promise<Stack>
  /** One that is this experiment's alone. */
  start(settings?: OwnStackSettings): Promise<Stack>
  /** A start that is not waited for, because it must fail. */
  launch(settings?: OwnStackSettings): Promise<Stack>
  browser(): Promise<Browser>
  /** Where a program is that the claim needs. */
  program(name: ProgramName): string
  /** Runs when the experiment has ended. */
  defer(cleanup: () => unknown): void
}

/** The product as it is, or with one sabotage, and the stack that its experiments share. */
export interface Variant {
  openRig(): OpenRig
  close(): Promise<void>
}

interface OpenRig {
  readonly rig: Rig
  close(): Promise<void>
}

/** Makes the copy. Throws when the sabotage cannot be applied. */
export function openVariant(root: string, seed: number, sabotage?: Sabotage): Variant {
  const directory = mkdtempSync(join(tmpdir(), 'seaworthy-proof-'))
  const product = join(directory, 'product')
  try {
    copyProduct(root, product)
    if (sabotage?.kind === 'patch') applyPatch(root, product, sabotage)
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  let stacks = 0
  const settingsOf = (settings: OwnStackSettings): StackSettings => ({
    product,
    directory: join(directory, `data-${++stacks}`),
    ...settings,
    environment: { ...settings.environment, ...(sabotage?.kind === 'settings' ? sabotage.settings : {}) },
  })
  const start = async (settings: OwnStackSettings): Promise<Stack> => {
    const stack = await startStack(settingsOf(settings))
    await refuseOtherProgram(stack, product)
    if (sabotage?.kind === 'sql') await (await stack.database('admin')).query(sabotage.sql)
    return stack
  }
  let shared: Promise<Stack> | undefined
  return {
    openRig: () =>
      openRig({
        seed,
        product,
        directory,
        shared: () => {
          shared ??= start({})
          return shared
        },
        start,
        launch: (settings) => launch(settingsOf(settings)),
      }),
    close: async () => {
      await shared?.then((stack) => stack.stop()).catch(() => undefined)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

interface RigParts {
  readonly seed: number
  readonly product: string
  readonly directory: string
  readonly shared: () => Promise<Stack>
  readonly start: (settings: OwnStackSettings) => Promise<Stack>
  readonly launch: (settings: OwnStackSettings) => Promise<Stack>
}

function openRig({ seed, product, directory, shared, start, launch: begin }: RigParts): OpenRig {
  const cleanups: (() => unknown)[] = []
  const scratch = mkdtempSync(join(directory, 'scratch-'))
  mkdirSync(scratch, { recursive: true })
  const random = createRandom(seed)
  const own =
    (open: (settings: OwnStackSettings) => Promise<Stack>) =>
    async (settings: OwnStackSettings = {}) => {
      const stack = await open(settings)
      cleanups.push(() => stack.stop())
      return stack
    }
  const rig: Rig = {
    seed,
    random,
    product,
    scratch,
    service: shared,
    start: own(start),
    launch: own(begin),
    browser: async () => {
      const browser = await openBrowser()
      cleanups.push(() => browser.close())
      return browser
    },
    program: (name) => {
      const path = findProgram(name)
      if (!path) throw new Error(`${name} is not here: the claim must name it among its needs`)
      return path
    },
    defer: (cleanup) => void cleanups.push(cleanup),
  }
  return {
    rig,
    close: async () => {
      for (const cleanup of cleanups.reverse()) await Promise.resolve(cleanup()).catch(() => undefined)
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The processes that serve must be of the copy: else a sabotage would judge the product beside it. */
async function refuseOtherProgram(stack: Stack, product: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (const pid of await stack.pids('web')) {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (!command.includes(product)) throw new Error(`process ${pid} does not run the copy: ${command}`)
  }
}

export const newSeed = (): number => randomInt(2 ** 31)

/** Mulberry32: small, fast, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
