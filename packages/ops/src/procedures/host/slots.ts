import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { type Layout, SLOTS, slotPath, socketName } from './layout.ts'

/** For each slot the release it leads to. */
export type Slots = readonly (string | undefined)[]

export const readSlots = (layout: Layout): Slots =>
  Array.from({ length: SLOTS }, (_, slot) => {
    try {
      return basename(readlinkSync(slotPath(layout, slot)), '.sock')
    } catch {
      return undefined
    }
  })

/** How many slots carry this share of the traffic: at least one, and never all. */
export const slotsFor = (share: number): number => Math.min(SLOTS - 1, Math.max(1, Math.round(share * SLOTS)))

/**
 * Points slots `from` up to `to` at this release, each by renaming a new link over the old one: whoever connects
 * meanwhile gets the one or the other. Slots that point there already are left alone.
 */
export function pointSlots(layout: Layout, release: string, from = 0, to = SLOTS): void {
  const now = readSlots(layout)
  for (let slot = from; slot < to; slot++) {
    if (now[slot] === release) continue
    const path = slotPath(layout, slot)
    const draft = `${path}.draft`
    rmSync(draft, { force: true })
    symlinkSync(socketName(release), draft)
    renameSync(draft, path)
  }
}

/** Before anything served here: nginx answers 502 as before. */
export function clearSlots(layout: Layout): void {
  for (let slot = 0; slot < SLOTS; slot++) rmSync(slotPath(layout, slot), { force: true })
}

/** The release that all of them lead to; undefined when they differ or lead nowhere. */
export const servedBy = (slots: Slots): string | undefined =>
  slots.every((release) => release === slots[0]) ? slots[0] : undefined
