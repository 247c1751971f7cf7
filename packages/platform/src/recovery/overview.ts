import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SECOND } from '@seaworthy/core'
import type { KeyRing } from '../vault/index.ts'
import { type BackupStatus, findProblem, readBackupStatus } from './condition.ts'
import { type DrillReport, readDrillHistory, readDrillStatus, trendOf } from './drill/report.ts'
import { estimateSeconds } from './estimate.ts'
import { readJson } from './json-file.ts'
import type { Places } from './places.ts'
import { parseTarget, planRestore } from './restore-plan.ts'
import type { Shelf } from './shelf.ts'
import { readShippingStatus, type ShippingStatus } from './shipper.ts'
import { openStore } from './store.ts'
import { describeStore, type StoreView } from './store-view.ts'

/** What each store had when a point was last made or tried, written down so that nobody has to ask a store for a page. */
interface KnownStores {
  /** ISO 8601. */
  readonly at: string
  readonly stores: readonly StoreView[]
}

const pathOf = ({ recovery }: Places): string => join(recovery, 'stores.json')

export async function recordStores(places: Places, shelves: readonly Shelf[], ring: KeyRing): Promise<void> {
  const stores: StoreView[] = []
  for (const shelf of shelves) stores.push(await describeStore(shelf, ring))
  const known: KnownStores = { at: new Date().toISOString(), stores }
  await mkdir(places.recovery, { recursive: true, mode: 0o700 })
  await writeFile(`${pathOf(places)}.draft`, JSON.stringify(known), { mode: 0o600 })
  await rename(`${pathOf(places)}.draft`, pathOf(places))
}

export interface RecoveryOverview {
  /** Why a loss now would cost more than was promised, or nobody can say; undefined when all is well. */
  readonly problem: string | undefined
  readonly backup: BackupStatus | undefined
  readonly archive: ShippingStatus | undefined
  readonly stores: readonly StoreView[]
  /** When the stores were looked at. */
  readonly storesAt: string | undefined
  /** Between these instants everything can be chosen. ISO 8601. */
  readonly earliest: string | undefined
  readonly latest: string | undefined
  readonly drills: readonly DrillReport[]
  readonly trend: { readonly median: number; readonly ratio: number } | undefined
}

/** For whoever operates this, from files beside the database only. */
export async function readOverview(places: Places, now: number, everyDays: number): Promise<RecoveryOverview> {
  const [backup, archive, drill, drills, known] = await Promise.all([
    readBackupStatus(places),
    readShippingStatus(places),
    readDrillStatus(places),
    readDrillHistory(places),
    readJson<KnownStores>(pathOf(places)),
  ])
  const stores = known?.stores ?? []
  const from = stores.flatMap(({ points }) => points.flatMap(({ point }) => point?.from ?? [])).sort()
  return {
    problem: findProblem(backup, archive, now, { last: drill, everyDays }),
    backup,
    archive,
    stores,
    storesAt: known?.at,
    earliest: from[0],
    latest: from[0] ? latestOf(archive) : undefined,
    drills,
    trend: trendOf(drills),
  }
}

/** The server closes a segment after five seconds of writing, and it is brought away within a second. */
const BEHIND_MS = 6 * SECOND

function latestOf(archive: ShippingStatus | undefined): string | undefined {
  if (!archive) return undefined
  return new Date(Math.min(archive.at, archive.waitingSince ?? archive.at) - BEHIND_MS).toISOString()
}

/** What a restore to an instant would do, and about how long it would take. */
export interface RestoreOffer {
  readonly store: string
  readonly point: string
  readonly segments: number
  readonly bytes: number
  readonly seconds: number
  readonly release: string
}

/** Of the first store that can. Throws with what is in the way of each. Changes nothing. */
export async function offerRestore(
  places: Places,
  shelves: readonly Shelf[],
  ring: KeyRing,
  to: string,
): Promise<RestoreOffer> {
  const target = parseTarget(to)
  const last = (await readDrillStatus(places))?.last
  const problems: string[] = []
  for (const shelf of shelves)
    try {
      const store = await openStore(shelf, ring)
      if (!store) throw new Error(`${shelf.name} has no recovery points.`)
      const plan = await planRestore(store, target)
      const { point, chain } = plan
      return {
        store: shelf.name,
        point: point.id,
        segments: chain.segments.length,
        bytes: point.base.bytes + point.blobs.bytes,
        seconds: estimateSeconds(plan, last),
        release: point.release.version,
      }
    } catch (error) {
      problems.push((error as Error).message)
    }
  throw new Error(problems.join('\n') || 'There is no store.')
}
