import type { Clock } from '@seaworthy/core'
import { KEYS_MAX, type Rate, type RateDecision } from './rate.ts'
import type { Ask, Grant } from './store.ts'

/** What this process has taken out of the shared window of one key. */
interface Lease {
  readonly rate: Rate
  readonly key: string
  startedMs: number
  /** By all processes, with what is left here. */
  used: number
  left: number
  /** Until then the store need not be asked: nothing is left there. */
  refusedUntilMs: number
  touchedMs: number
  refilling: boolean
  readonly waiting: ((decision: RateDecision) => void)[]
}

export interface LeaseSettings {
  readonly clock: Clock
  /** Throws when the store is lost. */
  readonly take: (key: string, ask: Ask) => Promise<Grant>
  readonly giveBack: (key: string, startedMs: number, count: number) => Promise<void>
  /** Told of each that this process lets through, so that its share is known when the store is lost. */
  readonly onPassed: (rate: Rate, key: string) => void
  /** Decides when the store is lost. */
  readonly withoutStore: (rate: Rate, key: string) => RateDecision
  readonly processes: number
}

export interface Leases {
  take(rate: Rate, key: string): RateDecision | Promise<RateDecision>
  /** Gives back what was not used for so long (a second), so that it is not missing elsewhere. */
  giveBackIdle(idleMs?: number): Promise<void>
}

const IDLE_MS = 1_000
/** Other processes may give something back, so a refusal of a batch is not for the whole window. */
const ASK_AGAIN_MS = 1_000
const PARTS = 10

/**
 * Takes out of the shared window: one at a time for strict classes, else a tenth of the limit at a time and less towards
 * its end. Nobody ever gets more than the limit; what idle processes hold comes back within two seconds.
 */
export function createLeases(settings: LeaseSettings): Leases {
  const leases = new Map<string, Lease>()
  const holding = new Set<Lease>()
  return {
    take: (rate, key) => {
      const now = settings.clock.now()
      const lease = leaseOf(leases, rate, key)
      const isCurrent = now - lease.startedMs < rate.windowMs
      if (isCurrent && lease.left > 0) return grantOne(lease, now, settings)
      if (isCurrent && now < lease.refusedUntilMs) return decide(lease, false, now)
      lease.left = 0
      const decision = new Promise<RateDecision>((resolve) => void lease.waiting.push(resolve))
      if (!lease.refilling) void refill(lease, settings, holding)
      return decision
    },
    giveBackIdle: async (idleMs = IDLE_MS) => {
      const now = settings.clock.now()
      for (const lease of holding) {
        if (now - lease.touchedMs < idleMs) continue
        holding.delete(lease)
        const count = lease.left
        lease.left = 0
        if (count > 0) await settings.giveBack(nameOf(lease), lease.startedMs, count).catch(() => undefined)
      }
    },
  }
}

const nameOf = ({ rate, key }: Pick<Lease, 'rate' | 'key'>): string => `${rate.name}\0${key}`

function leaseOf(leases: Map<string, Lease>, rate: Rate, key: string): Lease {
  const name = nameOf({ rate, key })
  const known = leases.get(name)
  if (known) return known
  const oldest = leases.size >= KEYS_MAX ? leases.keys().next().value : undefined
  if (oldest !== undefined) leases.delete(oldest)
  const lease: Lease = {
    rate,
    key,
    startedMs: Number.NEGATIVE_INFINITY,
    used: 0,
    left: 0,
    refusedUntilMs: 0,
    touchedMs: 0,
    refilling: false,
    waiting: [],
  }
  leases.set(name, lease)
  return lease
}

/** One question at a time for each key, for all who wait for it. */
async function refill(lease: Lease, settings: LeaseSettings, holding: Set<Lease>): Promise<void> {
  lease.refilling = true
  while (lease.waiting.length > 0) {
    const want = Math.max(lease.waiting.length, batchOf(lease, settings.processes))
    const { max, windowMs } = lease.rate
    const grant = await settings
      .take(nameOf(lease), { max, windowMs, want, now: settings.clock.now() })
      .catch(() => undefined)
    const now = settings.clock.now()
    if (grant) serve(lease, grant, { want, now, settings })
    else for (const resolve of lease.waiting.splice(0)) resolve(settings.withoutStore(lease.rate, lease.key))
  }
  lease.refilling = false
  if (lease.left > 0) holding.add(lease)
}

interface Serving {
  readonly want: number
  readonly now: number
  readonly settings: LeaseSettings
}

function serve(lease: Lease, grant: Grant, { want, now, settings }: Serving): void {
  lease.startedMs = grant.startedMs
  lease.used = grant.used
  lease.left = grant.granted
  while (lease.left > 0 && lease.waiting.length > 0) lease.waiting.shift()?.(grantOne(lease, now, settings))
  if (grant.granted === want) return
  const endsMs = grant.startedMs + lease.rate.windowMs
  lease.refusedUntilMs = lease.rate.strict ? endsMs : Math.min(endsMs, now + ASK_AGAIN_MS)
  if (lease.left === 0) for (const resolve of lease.waiting.splice(0)) resolve(decide(lease, false, now))
}

/** Smaller towards the end, so that as little as possible lies with a process that does not need it. */
function batchOf({ rate, used, startedMs }: Lease, processes: number): number {
  if (rate.strict) return 1
  const left = startedMs > 0 ? rate.max - used : rate.max
  return Math.max(1, Math.min(Math.floor(rate.max / PARTS), Math.floor(left / (2 * processes))))
}

function grantOne(lease: Lease, now: number, { onPassed }: LeaseSettings): RateDecision {
  lease.left--
  onPassed(lease.rate, lease.key)
  lease.touchedMs = now
  return decide(lease, true, now)
}

function decide({ rate, used, left, startedMs }: Lease, allowed: boolean, now: number): RateDecision {
  return {
    allowed,
    limit: rate.max,
    remaining: Math.max(0, rate.max - used + left),
    resetSeconds: Math.max(1, Math.ceil((startedMs + rate.windowMs - now) / 1_000)),
  }
}
