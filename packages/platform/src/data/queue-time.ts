/** How long whoever asks for a connection now will wait for it. */
export interface QueueTime {
  /** Somebody waits for a connection: counts until the promise settles. */
  wait<T>(connecting: Promise<T>): Promise<T>
  /** In milliseconds; 0 where no more wait than `fewMax`: a disk that stands for a moment is no queue. */
  expectedMs(): number
}

/** Of how many turns the average is made, roughly. */
const MEMORY = 20
/** So many turns are believed to have taken no time before the first that was measured: one alone says little. */
const HOPE = 4

/** Queue length times the usual time between two turns: known before anybody has waited that long. */
export function createQueueTime(fewMax: number, now: () => number = () => performance.now()): QueueTime {
  let waiting = 0
  let turns = 0
  let betweenMs = 0
  let lastMs = 0
  return {
    wait: async (connecting) => {
      // Where nobody waits any more the database has caught up: what was before says nothing of what comes.
      if (waiting++ === 0) [lastMs, turns, betweenMs] = [now(), 0, 0]
      try {
        const client = await connecting
        const at = now()
        betweenMs += (at - lastMs - betweenMs) / Math.min(MEMORY, ++turns + HOPE)
        lastMs = at
        return client
      } finally {
        waiting--
      }
    },
    // When nobody has had a turn for longer than that, the queue stands.
    expectedMs: () => (waiting <= fewMax ? 0 : Math.max(waiting * betweenMs, now() - lastMs)),
  }
}
