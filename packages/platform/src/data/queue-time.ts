/** How long whoever asks for a connection now will wait for it. */
export interface QueueTime {
  /** Somebody waits for a connection: counts until the promise settles. */
  wait<T>(connecting: Promise<T>): Promise<T>
  /** In milliseconds; 0 where nobody waits. */
  expectedMs(): number
}

/** Of how many turns the average is made, roughly. */
const MEMORY = 20

/** Queue length times the usual time between two turns: known before anybody has waited that long. */
export function createQueueTime(now: () => number = () => performance.now()): QueueTime {
  let waiting = 0
  let betweenMs = 0
  let lastMs = 0
  return {
    wait: async (connecting) => {
      if (waiting++ === 0) lastMs = now()
      try {
        const client = await connecting
        const at = now()
        betweenMs += (at - lastMs - betweenMs) / MEMORY
        lastMs = at
        return client
      } finally {
        waiting--
      }
    },
    // When nobody has had a turn for longer than that, the queue stands.
    expectedMs: () => (waiting === 0 ? 0 : Math.max(waiting * betweenMs, now() - lastMs)),
  }
}
