import { type Clock, MINUTE, SECOND } from '@seaworthy/core'
import type { Logger, Metrics } from '../telemetry/index.ts'

/** What speaks against whoever asks, and how much. */
const signs = {
  /** An address that only scanners ask for. */
  honey: 8,
  /** A token that was ended or replaced long ago came back. */
  ended_sign_in: 6,
  /** A token that we never made. */
  forged_sign_in: 4,
  /** An address that does not exist. */
  unknown_path: 2,
  /** Another thing that does not exist, or is somebody else's, each time. */
  missing_thing: 2,
  forbidden: 2,
  /** Input that no page of ours sends. */
  invalid: 2,
  /** Went on after being told to wait. */
  too_many: 0.5,
} as const

export type Sign = keyof typeof signs

/** Who is watched: an account, or where nobody is signed in, a network. */
export interface Suspect {
  readonly kind: 'account' | 'network'
  readonly key: string
  /** Its name in the log: the network without its last parts, the account's id, of which the log makes a pseudonym. */
  readonly shown: string
}

export interface Suspicion {
  /** Something that speaks against them; `about` tells one missing thing from the next. */
  note(suspect: Suspect, sign: Sign, about?: string): void
  /** A good answer speaks for them. */
  clear(kind: Suspect['kind'], key: string): void
  /** How long they are to wait, in seconds; 0: not at all. */
  waitSeconds(kind: Suspect['kind'], key: string): number
}

export interface SuspicionSettings {
  /** `watch` only reports. */
  readonly mode: 'watch' | 'limit'
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

interface Entry {
  score: number
  atMs: number
  readonly why: Partial<Record<Sign, number>>
  readonly about: string[]
  untilMs: number
}

/** From here on somebody is suspicious. */
const SUSPICIOUS = 15
const HALF_LIFE_MS = 5 * MINUTE
/** What a good answer takes off: one bad request in eight is nobody's attack. */
const CREDIT = 0.25
const WAIT_MS = 10 * MINUTE
const ENTRIES_MAX = 20_000
const ABOUT_MAX = 8

/**
 * A score for each account and network out of what they do, not out of what they call themselves. It halves every five
 * minutes, and the log says what it is made of. Only those who did something odd are remembered at all.
 */
export function createSuspicion({ mode, clock, log, metrics }: SuspicionSettings): Suspicion {
  const entries = new Map<string, Entry>()
  const count = metrics.counter('suspicious_total', 'Times that somebody became suspicious.', ['who', 'action'])
  const entryOf = (id: string): Entry => {
    const known = entries.get(id)
    if (known) return known
    const oldest = entries.size >= ENTRIES_MAX ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
    const entry: Entry = { score: 0, atMs: clock.now(), why: {}, about: [], untilMs: 0 }
    entries.set(id, entry)
    return entry
  }
  return {
    note: (suspect, sign, about) => {
      const now = clock.now()
      const entry = entryOf(idOf(suspect.kind, suspect.key))
      if (now < entry.untilMs || !add(entry, sign, about, now) || entry.score < SUSPICIOUS) return
      entry.untilMs = now + WAIT_MS
      const action = mode === 'limit' ? 'limited' : 'watched'
      count({ who: suspect.kind, action })
      log.warn('suspicious behaviour', {
        security: 'suspicion',
        runbook: 'too-many-refused',
        [suspect.kind]: suspect.shown,
        score: Math.round(entry.score),
        why: { ...entry.why },
        action,
        minutes: WAIT_MS / MINUTE,
      })
    },
    clear: (kind, key) => {
      if (entries.size === 0) return
      const entry = entries.get(idOf(kind, key))
      if (entry) entry.score = Math.max(0, entry.score - CREDIT)
    },
    waitSeconds: (kind, key) => {
      if (mode === 'watch' || entries.size === 0) return 0
      const entry = entries.get(idOf(kind, key))
      return entry ? Math.max(0, Math.ceil((entry.untilMs - clock.now()) / SECOND)) : 0
    },
  }
}

const idOf = (kind: Suspect['kind'], key: string): string => `${kind} ${key}`

/** False when it says nothing new: who asks for one missing thing again and again looks for nothing. */
function add(entry: Entry, sign: Sign, about: string | undefined, now: number): boolean {
  if (about !== undefined) {
    if (entry.about.includes(about)) return false
    entry.about.push(about)
    if (entry.about.length > ABOUT_MAX) entry.about.shift()
  }
  const faded = entry.score * 2 ** (-(now - entry.atMs) / HALF_LIFE_MS)
  // What was long ago explains nothing any more.
  if (faded < 1) for (const known of Object.keys(entry.why) as Sign[]) delete entry.why[known]
  entry.score = faded + signs[sign]
  entry.atMs = now
  entry.why[sign] = (entry.why[sign] ?? 0) + 1
  return true
}
