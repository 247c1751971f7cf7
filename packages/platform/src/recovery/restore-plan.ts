import type { Chain } from './chain.ts'
import { findChain, listLog } from './chain.ts'
import { type ListedPoint, listPoints, type Point } from './point.ts'
import type { Store } from './store.ts'
import { readWal } from './wal-object.ts'

/** Up to where: everything there is, what is before a hole, an instant, or a transaction and all before it. */
export type Target =
  | { readonly kind: 'latest' }
  | { readonly kind: 'before gap' }
  | { readonly kind: 'time'; readonly time: Date }
  | { readonly kind: 'transaction'; readonly id: string }

export interface Plan {
  readonly store: Store
  readonly point: Point
  readonly chain: Chain
  readonly target: Target
  /** When the newest segment that can be replayed was archived. */
  readonly until: Date
}

/** `latest`, `before-gap`, an instant with its zone, or `transaction:1234`. Throws when it is none of them. */
export function parseTarget(text: string): Target {
  if (text === 'latest') return { kind: 'latest' }
  if (text === 'before-gap') return { kind: 'before gap' }
  const id = /^transaction:(\d{1,20})$/.exec(text)?.[1]
  if (id) return { kind: 'transaction', id }
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text)
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) && hasZone && !Number.isNaN(Date.parse(text)))
    return { kind: 'time', time: new Date(text) }
  throw new Error(
    `${text} is no target of a restore.\n    HINT: --to latest, --to 2026-01-31T12:34:56Z with its zone, or --to transaction:1234`,
  )
}

interface Choice {
  readonly pointId?: string | undefined
  readonly timeline?: number | undefined
}

/** Looks before anything is touched. Throws with the name of the gap, the damaged record or what else is in the way. */
export async function planRestore(store: Store, target: Target, choice: Choice = {}): Promise<Plan> {
  const plan = await planOf(store, target, choice)
  refuseGap(plan)
  return plan
}

/** The same, with the gap in it if there is one. */
export async function planOf(store: Store, target: Target, { pointId, timeline }: Choice = {}): Promise<Plan> {
  const listed = await listPoints(store)
  if (listed.length === 0) throw new Error(`There is no recovery point in ${store.shelf.name}.`)
  const point = choosePoint(listed, target, pointId)
  const log = await listLog(store)
  const chain = findChain(log, point, timeline)
  const until = await endOf(store, chain, point)
  const isEndAsked = target.kind === 'latest' || (target.kind === 'time' && until < target.time)
  if (log.headDamage && isEndAsked) throw log.headDamage
  return { store, point, chain, target, until }
}

function choosePoint(listed: readonly ListedPoint[], target: Target, id: string | undefined): Point {
  const candidates = listed.filter((one) => (id ? one.id === id : isBefore(one, target)))
  const chosen = candidates.at(-1)
  if (chosen?.point) return chosen.point
  if (chosen) throw new Error(chosen.problem ?? `the point ${chosen.id} is damaged`)
  if (id) throw new Error(`There is no point ${id}.\n    HINT: seaworthy backups`)
  const first = listed.find(({ point }) => point)?.point
  throw new Error(`No recovery point is that old.${first ? `\n    HINT: the oldest instant is ${first.from}` : ''}`)
}

/** A damaged one counts by its name, so that nothing older is taken without a word. */
function isBefore({ id, point }: ListedPoint, target: Target): boolean {
  if (target.kind === 'latest' || target.kind === 'before gap') return !point?.isShrunken
  if (target.kind === 'transaction') return point !== undefined && BigInt(point.log.transaction) <= BigInt(target.id)
  return Date.parse(point?.from ?? timeOfId(id)) <= target.time.getTime()
}

const timeOfId = (id: string): string => id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6Z')

async function endOf(store: Store, chain: Chain, point: Point): Promise<Date> {
  const last = chain.segments.at(-1)
  const file = last ? await readWal(store, last) : undefined
  return new Date(file?.at ?? point.from)
}

/** PostgreSQL would end at the hole, open the database there and say nothing. */
export function refuseGap({ chain, target, until, point, store }: Plan): void {
  const { gap } = chain
  if (gap && (target.kind === 'latest' || (target.kind === 'time' && until < target.time)))
    throw new Error(
      `The log has a gap in ${store.shelf.name}: the segment ${gap} is missing.\n    HINT: ${
        until > new Date(point.from)
          ? `what came before it can be restored, until about ${until.toISOString()}: --to before-gap`
          : 'restore from another store, or from an older point'
      }`,
    )
  if (!gap && target.kind === 'time' && target.time.getTime() > Date.now())
    throw new Error('That instant has not come yet.\n    HINT: --to latest')
}
