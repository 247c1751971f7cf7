import type { KeyRing } from '../vault/index.ts'
import { type DrillMark, readDrillMark } from './drill/report.ts'
import { type ListedPoint, listPoints } from './point.ts'
import { parseTarget, planOf } from './restore-plan.ts'
import type { Shelf } from './shelf.ts'
import { openStore } from './store.ts'

/** A point, and what the last trial of it gave. */
export type PointView = Omit<ListedPoint, 'store'> & { readonly drill: DrillMark | undefined }

/** What a store has, for people. */
export interface StoreView {
  readonly name: string
  readonly points: readonly PointView[]
  /** What was archived until then can be restored, from the first point on. */
  readonly until: string | undefined
  readonly gap: string | undefined
  /** Why it could not be looked at. */
  readonly problem: string | undefined
}

export async function describeStore(shelf: Shelf, ring: KeyRing): Promise<StoreView> {
  const nothing = { name: shelf.name, points: [], until: undefined, gap: undefined }
  try {
    const store = await openStore(shelf, ring)
    if (!store) return { ...nothing, problem: 'there is no recovery point yet' }
    const points = await Promise.all(
      (await listPoints(store)).map(async ({ store: _, ...point }) => ({
        ...point,
        drill: await readDrillMark(store, point.id),
      })),
    )
    if (points.length === 0) return { ...nothing, problem: 'there is no recovery point yet' }
    try {
      const { until, chain } = await planOf(store, parseTarget('latest'))
      return { name: shelf.name, points, until: until.toISOString(), gap: chain.gap, problem: undefined }
    } catch (error) {
      return { ...nothing, points, problem: (error as Error).message }
    }
  } catch (error) {
    return { ...nothing, problem: (error as Error).message }
  }
}
