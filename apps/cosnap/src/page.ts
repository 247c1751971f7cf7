import { z } from 'zod'

const LIMIT_MAX = 50

/** Keyset pages: the cursor is the last id of the page before, so rows that come and go do not shift what follows. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(24),
  cursor: z.uuid().optional(),
})

export const pageReply = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() })

/** `rows` holds one more than the page when there is a next one. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const page = rows.slice(0, limit)
  return { items: page.map(show), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null }
}
