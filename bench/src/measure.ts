import { cpus, loadavg } from 'node:os'
import autocannon from 'autocannon'

export const machineLine = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(2)}, ${new Date().toISOString().slice(0, 10)}`

/** The middle of the values, and their range. */
export function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}

interface Load {
  readonly url: string
  readonly headers: Record<string, string>
  readonly connections: number
  readonly seconds: number
}

/** Answers of 200 a second under closed-loop load; anything else counts as failure and is thrown. */
export async function throughput({ url, headers, connections, seconds }: Load): Promise<number> {
  const result = await autocannon({ url, headers, connections, duration: seconds })
  const bad = result.non2xx + result.errors + result.timeouts
  if (bad > 0) throw new Error(`${bad} of ${result.requests.total} requests to ${url} failed`)
  return result.requests.average
}
