import { SECOND } from '@seaworthy/core'
import type { Host } from './host.ts'
import { pointSlots } from './slots.ts'
import { updateState } from './state.ts'

/** Longer than any SHUTDOWN_TIMEOUT that an operator sets by habit: requests, streams and jobs end by themselves. */
const DRAIN_MS = 120 * SECOND

/** All traffic to this release, and written down as what serves. */
export function serveWith(host: Host, release: string, warm?: string): void {
  pointSlots(host.layout, release)
  updateState(host.layout, ({ warm: _, ...state }) => ({
    ...state,
    ...(state.serving && state.serving !== release ? { previous: state.serving } : {}),
    ...(warm ? { warm } : {}),
    serving: release,
    releases: state.releases.map((known) =>
      known.id === release ? { ...known, servedAt: new Date().toISOString() } : known,
    ),
  }))
}

/** Requests under way, open streams and jobs are finished first. */
export const drain = (host: Host, release: string): Promise<void> => host.runner.stop(release, DRAIN_MS)
