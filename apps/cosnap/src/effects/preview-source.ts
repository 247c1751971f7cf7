import type { AccountCaller } from '@seaworthy/core'
import type { Media } from '@seaworthy/platform/media'
import type { Pixels } from './pixels.ts'
import { decode } from './studio.ts'

const KEPT_MAX = 8

/** The last few photos at preview size, by account and content: moving the slider does not decode the photo again. */
const kept = new Map<string, Promise<Pixels>>()

export function previewPixels(media: Media, caller: AccountCaller, hash: string, longest: number): Promise<Pixels> {
  const key = `${caller.accountId}/${hash}/${longest}`
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = media.heavy(async () => decode(await media.readBytes(caller, hash), longest))
  kept.set(key, made)
  made.catch(() => kept.delete(key))
  const [oldest] = kept.keys()
  if (kept.size > KEPT_MAX && oldest) kept.delete(oldest)
  return made
}
