/** What a release has answered since it started. */
export interface Traffic {
  readonly requests: number
  /** Answers of 500 and above. */
  readonly errors: number
  /** Upper bounds of time in seconds, ascending, each with how many answers took at most so long. */
  readonly within: readonly (readonly [bound: number, count: number])[]
}

export const noTraffic: Traffic = { requests: 0, errors: 0, within: [] }

const line = /^http_request_duration_seconds_(bucket|count)\{([^}]*)\} (\S+)$/gm
const labels = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** From the text that `/metrics` gives. Probes are not people: they would hide what happens to people. */
export function readTraffic(text: string): Traffic {
  const lines = [...text.matchAll(line)]
    .map(([, kind, inside = '', value]) => ({ kind, label: labelsOf(inside), count: Number(value) }))
    .filter(({ label }) => !label.route?.startsWith('/health'))
  const answers = lines.filter(({ kind }) => kind === 'count')
  const within = new Map<number, number>()
  for (const { kind, label, count } of lines)
    if (kind === 'bucket' && label.le !== '+Inf')
      within.set(Number(label.le), (within.get(Number(label.le)) ?? 0) + count)
  return {
    requests: sum(answers.map(({ count }) => count)),
    errors: sum(answers.filter(({ label }) => Number(label.status_code) >= 500).map(({ count }) => count)),
    within: [...within].sort(([a], [b]) => a - b),
  }
}

const labelsOf = (text: string): Partial<Record<string, string>> =>
  Object.fromEntries([...text.matchAll(labels)].map(([, name, value]) => [name, value]))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What came after `earlier`. A release that started again counts from zero. */
export function since(earlier: Traffic, later: Traffic): Traffic {
  if (later.requests < earlier.requests) return later
  const before = new Map(earlier.within)
  return {
    requests: later.requests - earlier.requests,
    errors: later.errors - earlier.errors,
    within: later.within.map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]),
  }
}

/** The smallest bound that at least this part of the answers kept; undefined when nothing was asked. */
export const boundOf = ({ requests, within }: Traffic, part: number): number | undefined =>
  requests === 0 ? undefined : (within.find(([, count]) => count >= part * requests)?.[0] ?? Number.POSITIVE_INFINITY)

/** How many took longer than `bound`, which must be one of the bounds. */
export const slowerThan = ({ requests, within }: Traffic, bound: number): number =>
  requests - (within.find(([known]) => known === bound)?.[1] ?? requests)
