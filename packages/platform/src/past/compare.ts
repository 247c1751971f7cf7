import { type Fragment, sql, type Transaction } from '../data/index.ts'
import { type Named, type Rows, type Seen, walk } from './rows.ts'

/** A row that is on both sides and not the same. */
export interface Changed extends Named {
  /** How it looks now. */
  readonly hash: string
}

export interface Compared {
  readonly onlyThen: readonly Seen[]
  readonly onlyNow: readonly Seen[]
  readonly changed: readonly Changed[]
  readonly same: number
}

/** More than this is not put back row by row. */
const ROWS_MAX = 100_000

/** Walks through both sides once, in the same order: nothing but what differs is kept in memory. */
export async function compare(past: Transaction, live: Transaction, rows: Rows, where: Fragment): Promise<Compared> {
  const found = { onlyThen: [] as Seen[], onlyNow: [] as Seen[], changed: [] as Changed[], same: 0 }
  for await (const { was, is } of pairs(walk(past, rows, where), walk(live, rows, where))) {
    if (was && is) {
      if (was.hash === is.hash) found.same++
      else found.changed.push(is)
    } else if (was) found.onlyThen.push(was)
    else if (is) found.onlyNow.push(is)
    refuseTooMany(rows.table, found)
  }
  return found
}

interface Pair {
  readonly was: Seen | undefined
  readonly is: Seen | undefined
}

/** The rows of both, those with the same key together. */
async function* pairs(past: AsyncGenerator<Seen>, live: AsyncGenerator<Seen>): AsyncGenerator<Pair> {
  let [was, is] = [await nextOf(past), await nextOf(live)]
  while (was || is) {
    const order = orderOf(was, is)
    yield { was: order <= 0 ? was : undefined, is: order >= 0 ? is : undefined }
    if (order <= 0) was = await nextOf(past)
    if (order >= 0) is = await nextOf(live)
  }
}

async function nextOf(rows: AsyncGenerator<Seen>): Promise<Seen | undefined> {
  const { done, value } = await rows.next()
  return done ? undefined : value
}

function orderOf(was: Seen | undefined, is: Seen | undefined): number {
  if (!was || !is) return was ? -1 : 1
  return bytewise(was.sort, is.sort)
}

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function refuseTooMany(table: string, { onlyThen, onlyNow, changed }: Compared): void {
  if (Math.max(onlyThen.length, onlyNow.length, changed.length) > ROWS_MAX)
    throw new Error(
      `More than ${ROWS_MAX} rows of ${table} differ.\n    HINT: restore the whole database of that instant: seaworthy restore --into DIRECTORY, or --in-place`,
    )
}

/** Of the account of the transaction, or of everybody where the owner looks. */
export const ofAccount: Fragment = sql`t.account_id = seaworthy.account_id()`
export const ofEverybody: Fragment = sql`true`
