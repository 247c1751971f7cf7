import { setTimeout as sleep } from 'node:timers/promises'
import type { Sample } from '../claim.ts'

export interface Arrivals {
  readonly samples: readonly Sample[]
  /** Begins no more requests; resolves when the last has its answer. */
  stop(): Promise<void>
  /** Milliseconds since the first. */
  now(): number
}

/** Requests of any kind that begin by the clock until stopped: a slow answer delays no other request. */
export function startArrivals(perSecond: number, send: (index: number) => Promise<boolean>): Arrivals {
  const startedAt = performance.now()
  const now = (): number => performance.now() - startedAt
  const samples: Sample[] = []
  const pending: Promise<void>[] = []
  let stopped = false
  const one = async (index: number): Promise<void> => {
    const atMs = (index / perSecond) * 1_000
    const ok = await send(index).catch(() => false)
    samples.push({ atMs, ms: now() - atMs, ok })
  }
  const loop = (async () => {
    for (let sent = 0; !stopped; ) {
      const due = Math.floor((now() / 1_000) * perSecond) + 1
      for (; sent < due; sent++) pending.push(one(sent))
      // An experiment that broke and forgot to stop it keeps no process alive.
      await sleep(Math.max(1, 500 / perSecond), undefined, { ref: false })
    }
  })()
  return {
    samples,
    now,
    stop: async () => {
      stopped = true
      await loop
      await Promise.all(pending)
    },
  }
}
