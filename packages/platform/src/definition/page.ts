import { createHmac, timingSafeEqual } from 'node:crypto'
import { type AccountId, fault, isId, type Secret } from '@seaworthy/core'
import { z } from 'zod'

const LIMIT_MAX = 50
const LIMIT = 24
const CURSOR_LENGTH_MAX = 64

/** Keyset pages: a cursor stands for the last row of the page before, so rows that come and go do not shift what follows. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(LIMIT),
  cursor: z.string().max(CURSOR_LENGTH_MAX).optional(),
})

export const pageReply = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() })

/** Cursors of one list for one account: made here, and no other is believed. */
export interface Cursors {
  write(id: string): string
  /** The id after which the page begins. Throws `invalid_input` when the cursor was not made for this list. */
  read(cursor: string | undefined): string | undefined
}

const ID_BYTES = 16
const MAC_BYTES = 16

export function createCursors(secret: Secret, list: string, accountId: AccountId): Cursors {
  const mac = (id: Buffer): Buffer =>
    createHmac('sha256', secret.reveal())
      .update(`cursor\0${list}\0${accountId}\0`)
      .update(id)
      .digest()
      .subarray(0, MAC_BYTES)
  return {
    write: (id) => {
      const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
      return Buffer.concat([bytes, mac(bytes)]).toString('base64url')
    },
    read: (cursor) => {
      if (cursor === undefined) return undefined
      const bytes = Buffer.from(cursor, 'base64url')
      const id = bytes.subarray(0, ID_BYTES)
      if (bytes.length !== ID_BYTES + MAC_BYTES || !timingSafeEqual(mac(id), bytes.subarray(ID_BYTES)))
        throw fault('invalid_input', {
          detail: 'The cursor is not from an earlier page of this list.',
          fields: [{ path: 'query.cursor', message: 'is not from an earlier page of this list' }],
        })
      return toUuid(id)
    },
  }
}

/** `rows` holds one more than the page when there is a next one. */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  cursors: Cursors,
  show: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { items: page.map(show), next: last && rows.length > limit ? cursors.write(last.id) : null }
}

function toUuid(bytes: Buffer): string {
  const id = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  if (!isId(id)) throw fault('invalid_input', { detail: 'The cursor is not from an earlier page of this list.' })
  return id
}
