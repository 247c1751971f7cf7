const STEP_SECONDS = 5
const START_SECONDS = 20
const PATIENCE_SECONDS = 3_600

export interface Drain {
  /** The fewest pods that served at any moment. */
  readonly fewest: number
  readonly seconds: number
  /** Pods that were still on an old node when patience ended. */
  readonly left: number
}

/**
 * All nodes of a cluster are emptied at the same time, as an upgrade does: every pod is asked to go, again and again. The
 * eviction is let through as long as more pods are healthy than the budget keeps; what goes is made anew elsewhere and
 * serves 20 seconds later.
 */
export function simulateDrain(pods: number, minAvailable: number): Drain {
  let [old, fewest, second] = [pods, pods, 0]
  const fresh: number[] = []
  const healthy = (): number => old + fresh.filter((made) => second - made >= START_SECONDS).length
  for (; old > 0 && second < PATIENCE_SECONDS; second += STEP_SECONDS) {
    while (old > 0 && healthy() > minAvailable) {
      old--
      fresh.push(second)
    }
    fewest = Math.min(fewest, healthy())
  }
  return { fewest, seconds: second, left: old }
}
