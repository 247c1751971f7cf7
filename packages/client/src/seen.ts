/**
 * What this page has seen of the database. A service with a read replica tells with its answers how far that is, and
 * reads for whoever shows it from a server that has come as far; so nobody misses what they have just written.
 */
export interface Seen {
  /** Puts it into a request, and gives what takes the answer's. */
  show(headers: Headers): (answered: string | null) => void
  /** For answers that came another way. */
  note(answered: string | null): void
  /** Something changed that no answer told of: until one does, only the newest state is good enough. */
  changed(): void
}

export const POSITION_HEADER = 'seaworthy-position'

/**
 * Answers overtake each other, and what they tell cannot be compared here. So all of it is kept and sent, and replaced
 * by the one that an answer gives for what its request sent. A mark of our own, which no service knows, stands for a
 * change that we only heard of.
 */
export function createSeen(): Seen {
  const held = new Set<string>()
  let [isTold, changes] = [false, 0]
  const take = (sent: readonly string[], answered: string | null): void => {
    if (answered === null) return
    isTold = true
    for (const one of sent) held.delete(one)
    held.add(answered)
  }
  return {
    show: (headers) => {
      const sent = isTold ? [...held] : []
      if (sent.length) headers.set(POSITION_HEADER, sent.join(','))
      return (answered) => take(sent, answered)
    },
    note: (answered) => take([], answered),
    changed: () => {
      held.delete(`changed-${changes}`)
      held.add(`changed-${++changes}`)
    },
  }
}
