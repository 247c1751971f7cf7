import type { AccountCaller } from '@seaworthy/core'
import type { Sealed, Transaction } from '@seaworthy/platform/definition'
import type { Media } from '@seaworthy/platform/media'
import type { Place, Vault } from '@seaworthy/platform/vault'
import { z } from 'zod'

/** Addresses of one picture: they work for a while, for whoever has them. */
export const Picture = z.object({
  width: z.number().int(),
  height: z.number().int(),
  /** The full resolution. */
  full: z.string(),
  /** `srcset` values, AVIF and WebP. */
  avif: z.string(),
  webp: z.string(),
  /** Small enough for a list. */
  thumbnail: z.string(),
})

export const Photo = z.object({
  id: z.string(),
  name: z.string(),
  bytes: z.number().int(),
  createdAt: z.string(),
  picture: Picture,
})

export interface PhotoRow {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly bytes: number
  readonly width: number
  readonly height: number
  readonly created_at: Date
}

const widths = [640, 1080, 1600] as const

export function toPicture(
  media: Media,
  caller: AccountCaller,
  of: { hash: string; width: number; height: number },
): z.input<typeof Picture> {
  const set = (format: 'avif' | 'webp'): string =>
    widths.map((width) => `${media.url(caller, of.hash, `${width}.${format}`)} ${width}w`).join(', ')
  return {
    width: of.width,
    height: of.height,
    full: media.url(caller, of.hash, 'original'),
    avif: set('avif'),
    webp: set('webp'),
    thumbnail: media.url(caller, of.hash, '320.webp'),
  }
}

export function toPhoto(media: Media, caller: AccountCaller, row: PhotoRow): z.input<typeof Photo> {
  return {
    id: row.id,
    name: row.name,
    bytes: row.bytes,
    createdAt: row.created_at.toISOString(),
    picture: toPicture(media, caller, row),
  }
}

/** Where the name of a photo is sealed. */
export const nameOf = (caller: AccountCaller, id: string): Place => ({
  table: 'cosnap.photos',
  column: 'name',
  row: id,
  accountId: caller.accountId,
})

/** The rows with their names in clear, also of photos from before names were sealed. */
export async function openNames<Row extends { readonly id: string; readonly name: Sealed }>(
  vault: Vault,
  tx: Transaction,
  caller: AccountCaller,
  rows: readonly Row[],
): Promise<(Omit<Row, 'name'> & { readonly name: string })[]> {
  const opened = []
  for (const row of rows) opened.push({ ...row, name: await vault.openOrClear(tx, nameOf(caller, row.id), row.name) })
  return opened
}

/** What a file was called, for its owner to recognise it: no path, no control characters, at most 200 letters. */
export function cleanName(name: string | undefined): string {
  const last = (name ?? '').split(/[\\/]/).at(-1) ?? ''
  return last.replace(/\p{C}/gu, '').trim().slice(0, 200) || 'Photo'
}
