import { createHash } from 'node:crypto'
import { DAY } from '@seaworthy/core'
import { type Finding, type Installation, lookAt } from '../doctor/index.ts'
import { after } from './after.ts'
import { before } from './before.ts'
import { during } from './during.ts'
import type { Execute, Item, Phase, Ran, Signed } from './item.ts'
import { addRecord, hashOf, type KeptRecord, readRecords } from './records.ts'

export const checklists: Readonly<Record<Phase, readonly Item[]>> = { before, during, after }

export interface ItemReport {
  readonly item: string
  readonly title: string
  readonly kind: Item['kind']
  readonly state: 'ok' | 'none' | 'red'
  readonly found: string
  readonly next?: string
}

export interface Gone {
  readonly phase: Phase
  readonly release: string
  readonly items: readonly ItemReport[]
  /** SHA-256 of the verdicts of everything but people: what a signature covers. */
  readonly seen: string
  readonly isDone: boolean
}

export interface ChecklistSettings {
  /** Runs what takes minutes; undefined leaves it out. */
  readonly execute: Execute | undefined
  readonly now: () => number
}

/** Every item of a phase: first what commands judge, then what people signed for it. */
export async function goThrough(here: Installation, phase: Phase, settings: ChecklistSettings): Promise<Gone> {
  const release = here.build.commit
  const items = checklists[phase]
  const reports = new Map<string, ItemReport>()
  for (const item of items) if (item.kind !== 'human') reports.set(item.name, await judge(here, phase, item, settings))
  const seen = hashOf(
    release,
    [...reports.values()].map(({ item, state }) => [item, state !== 'red'] as const),
  )
  const records = readRecordsIfAny(here, phase)
  for (const item of items)
    if (item.kind === 'human')
      reports.set(
        item.name,
        judgeSignature(item, phase, records.get(item.name), { release, seen, now: settings.now() }),
      )
  const all = items.flatMap(({ name }) => reports.get(name) ?? [])
  return { phase, release, items: all, seen, isDone: all.every(({ state }) => state !== 'red') }
}

/** Whoever signs has seen the list as it is now. Throws when there is no such item for people. */
export async function sign(
  here: Installation,
  phase: Phase,
  name: string,
  by: string,
  settings: ChecklistSettings,
): Promise<Gone> {
  const item = checklists[phase].find((known): known is Signed => known.kind === 'human' && known.name === name)
  if (!item) {
    const names = checklists[phase].flatMap((known) => (known.kind === 'human' ? [known.name] : []))
    throw new Error(
      `Nobody signs ${name} ${phase} a deployment.\n    HINT: ${names.length ? `one of ${names.join(', ')}` : 'commands judge all of it'}`,
    )
  }
  if (by.trim().length < 2) throw new Error('Who signs?\n    HINT: --as "Anna Example"')
  const { seen, release } = await goThrough(here, phase, settings)
  const now = settings.now()
  addRecord(here, {
    phase,
    item: name,
    by: by.trim(),
    at: isoOf(now),
    expiresAt: isoOf(now + item.validDays * DAY),
    release,
    seen,
  })
  return goThrough(here, phase, settings)
}

const isoOf = (ms: number): string => new Date(ms).toISOString()

async function judge(
  here: Installation,
  phase: Phase,
  item: Exclude<Item, Signed>,
  settings: ChecklistSettings,
): Promise<ItemReport> {
  const { name, title, kind } = item
  const finding = item.kind === 'run' ? await ran(here, phase, item, settings) : await looked(here, item)
  const state = finding.verdict === 'ok' ? 'ok' : finding.verdict === 'none' ? 'none' : 'red'
  return { item: name, title, kind, state, found: finding.found, ...(finding.next ? { next: finding.next } : {}) }
}

async function looked(here: Installation, item: Exclude<Item, Signed | Ran>): Promise<Finding> {
  if (item.kind === 'check') return lookAt(here, item.check)
  try {
    return await item.look(here)
  } catch (error) {
    return { verdict: 'unknown', found: (error as Error).message.split('\n')[0] ?? '', next: 'seaworthy doctor' }
  }
}

async function ran(here: Installation, phase: Phase, item: Ran, { execute, now }: ChecklistSettings): Promise<Finding> {
  const why = item.unless?.(here)
  if (why) return { verdict: 'none', found: why }
  const release = here.build.commit
  if (execute) {
    const { code, output } = await execute(item.command)
    const at = now()
    addRecord(here, {
      phase,
      item: item.name,
      by: item.command.join(' '),
      at: isoOf(at),
      expiresAt: isoOf(at + item.validDays * DAY),
      release,
      seen: createHash('sha256').update(output).digest('hex'),
      code,
    })
  }
  const known = readRecordsIfAny(here, phase).get(item.name)
  const next = `seaworthy checklist ${phase} --run   # or: ${item.command.join(' ')}`
  const problem = problemOf(known, release, now(), 'release')
  if (problem || !known) return { verdict: 'unknown', found: problem ?? 'not run for this release', next }
  return known.code === 0
    ? { verdict: 'ok', found: `passed at ${known.at}` }
    : { verdict: 'bad', found: `failed with ${known.code} at ${known.at}`, next: item.command.join(' ') }
}

interface Now {
  readonly release: string
  readonly seen: string
  readonly now: number
}

function judgeSignature(
  item: Signed,
  phase: Phase,
  record: KeptRecord | undefined,
  { release, seen, now }: Now,
): ItemReport {
  const { name, title, kind } = item
  const red = (found: string): ItemReport => ({
    item: name,
    title,
    kind,
    state: 'red',
    found,
    next: `seaworthy checklist ${phase} --sign ${name} --as "Your Name"`,
  })
  const problem = problemOf(record, release, now, item.covers)
  if (problem || !record) return red(problem ?? 'nobody has signed')
  if (item.covers === 'verdicts' && record.seen !== seen)
    return red(`${record.by} saw other verdicts than these at ${record.at}`)
  return { item: name, title, kind, state: 'ok', found: `${record.by}, ${record.at}, until ${record.expiresAt}` }
}

function problemOf(
  record: KeptRecord | undefined,
  release: string,
  now: number,
  covers: Signed['covers'],
): string | undefined {
  if (!record) return undefined
  if (!record.isWhole) return `what ${record.by} signed was changed afterwards`
  if (Date.parse(record.expiresAt) <= now) return `that of ${record.by} expired at ${record.expiresAt}`
  return covers !== 'time' && record.release !== release
    ? `${record.by}: that was release ${record.release.slice(0, 12)}`
    : undefined
}

/** Where the settings are wrong nothing that was signed can be checked: the items say so themselves. */
function readRecordsIfAny(here: Installation, phase: Phase): ReadonlyMap<string, KeptRecord> {
  return here.config ? readRecords(here, phase) : new Map()
}
