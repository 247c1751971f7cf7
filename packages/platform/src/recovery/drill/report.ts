import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson } from '../json-file.ts'
import type { Places } from '../places.ts'
import { drillKeyOf } from '../point.ts'
import { DamagedError, type Store } from '../store.ts'

/** `unknown`: it could not be tried, or was ended. Only what passed counts as verified. */
export type DrillOutcome = 'passed' | 'failed' | 'unknown'

/** What kept a trial apart from what runs here, and held it in bounds. What the machine does not allow is said. */
export interface DrillRoom {
  /** `own`: it saw the store, read-only, and what it restored; data, settings and other stores were not there. */
  readonly files: 'own' | 'shared'
  readonly processes: 'own' | 'shared'
  /** `own`: nothing that it did could reach anybody. */
  readonly network: 'own' | 'shared'
  readonly memory: 'together' | 'each process' | 'not limited'
  readonly memoryBytes: number
  /** It is ended when less than this is left of the disk. */
  readonly diskFloorBytes: number
}

export interface DrillReport {
  /** When it was begun. Times are ISO 8601. */
  readonly at: string
  readonly store: string
  readonly point: string | undefined
  /** From when on the point can be restored. */
  readonly pointFrom: string | undefined
  readonly outcome: DrillOutcome
  readonly problem: string | undefined
  /** How long each step took. */
  readonly seconds: Readonly<Record<string, number>>
  /** From the first byte that was read until the service answered. */
  readonly rtoSeconds: number | undefined
  /** From the commit of a row until it was in the store. Undefined where no database of this installation runs. */
  readonly rpoSeconds: number | undefined
  readonly tookSeconds: number
  /** Of database and files. */
  readonly bytes: number | undefined
  readonly segments: number | undefined
  readonly checked: DrillChecked | undefined
  readonly journeys: readonly string[]
  readonly room: DrillRoom | undefined
}

/** What was asked of the restored database, and it answered. */
export interface DrillChecked {
  readonly indexes: number
  readonly ledgerLines: number
  readonly blobs: number
  readonly sealedValues: number
  readonly auditLines: number
}

/** The newest trial, and the newest point that passed one. */
export interface DrillStatus {
  readonly last: DrillReport
  readonly passed: { readonly point: string; readonly pointFrom: string; readonly at: string } | undefined
}

const REPORTS_MAX = 100

const statusPath = ({ recovery }: Places): string => join(recovery, 'drill.json')
const historyPath = ({ recovery }: Places): string => join(recovery, 'drills.json')

export const readDrillStatus = (places: Places): Promise<DrillStatus | undefined> =>
  readJson<DrillStatus>(statusPath(places))

/** The last hundred, the oldest first. */
export const readDrillHistory = async (places: Places): Promise<readonly DrillReport[]> =>
  (await readJson<readonly DrillReport[]>(historyPath(places))) ?? []

export async function recordDrill(places: Places, report: DrillReport): Promise<DrillStatus> {
  const before = await readDrillStatus(places)
  const status = { last: report, passed: newestOf(before?.passed, passedBy(report)) }
  const history = [...(await readDrillHistory(places)), report].slice(-REPORTS_MAX)
  await mkdir(places.recovery, { recursive: true, mode: 0o700 })
  await writeWhole(historyPath(places), history)
  await writeWhole(statusPath(places), status)
  return status
}

type Passed = DrillStatus['passed']

const passedBy = ({ outcome, point, pointFrom, at }: DrillReport): Passed =>
  outcome === 'passed' && point && pointFrom ? { point, pointFrom, at } : undefined

/** That an old point passes says nothing about newer ones. */
const newestOf = (before: Passed, now: Passed): Passed =>
  before && now ? (Date.parse(now.pointFrom) >= Date.parse(before.pointFrom) ? now : before) : (now ?? before)

async function writeWhole(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.draft`, JSON.stringify(value), { mode: 0o600, flush: true })
  await rename(`${path}.draft`, path)
}

/** What is kept beside the point, for whoever has nothing but the store. */
export type DrillMark = Pick<DrillReport, 'at' | 'outcome' | 'problem' | 'rtoSeconds' | 'rpoSeconds'>

export async function markDrilled(store: Store, { point, ...report }: DrillReport): Promise<void> {
  if (!point) return
  const { at, outcome, problem, rtoSeconds, rpoSeconds } = report
  const mark: DrillMark = { at, outcome, problem, rtoSeconds, rpoSeconds }
  await store.put(drillKeyOf(point), [Buffer.from(JSON.stringify(mark))])
}

/** Undefined when it was never tried, and when the note about it is damaged: that is no reason to refuse the point. */
export async function readDrillMark(store: Store, point: string): Promise<DrillMark | undefined> {
  try {
    const bytes = await store.read(drillKeyOf(point))
    return bytes && (JSON.parse(bytes.toString()) as DrillMark)
  } catch (error) {
    if (error instanceof DamagedError) return undefined
    throw error
  }
}

/** How long it took, beside the middle of the ten before it that passed: above 1 it became slower. */
export function trendOf(
  history: readonly DrillReport[],
): { readonly median: number; readonly ratio: number } | undefined {
  const passed = history.flatMap(({ outcome, rtoSeconds }) => (outcome === 'passed' ? (rtoSeconds ?? []) : []))
  const last = passed.at(-1)
  const before = passed.slice(-11, -1).sort((a, b) => a - b)
  const median = before[Math.floor(before.length / 2)]
  return last === undefined || median === undefined ? undefined : { median, ratio: last / Math.max(median, 0.001) }
}
