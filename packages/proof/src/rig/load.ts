import { Agent, request } from 'node:http'
import type { Sample } from '../claim.ts'

interface LoadRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface LoadSettings {
  /** Requests begin at this rate whatever happens to those before: a slow answer delays no other request. */
  readonly perSecond: number
  readonly seconds: number
  /** What the nth request asks for, from 0 on. */
  readonly request: (n: number) => LoadRequest
  /** What counts as a good answer. */
  readonly isGood?: (status: number) => boolean
  readonly timeoutMs?: number
}

export interface Load {
  /** Latency is counted from the moment a request was meant to begin, so waiting is not left out. */
  readonly samples: readonly Sample[]
  readonly startedAt: number
  /** `0`: no answer. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Open-loop load: arrivals by the clock. Resolves when the last answer is there. */
export async function applyLoad(settings: LoadSettings): Promise<Load> {
  const { perSecond, seconds, timeoutMs = 30_000, isGood = (status) => status < 400 } = settings
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const startedAt = performance.now()
  const samples: Sample[] = []
  const statuses: Record<string, number> = {}
  const pending: Promise<void>[] = []
  const total = Math.round(perSecond * seconds)
  const one = async (n: number): Promise<void> => {
    const meantMs = (n / perSecond) * 1_000
    const status = await ask(settings.request(n), agent, timeoutMs)
    statuses[status] = (statuses[status] ?? 0) + 1
    samples.push({ atMs: meantMs, ms: performance.now() - startedAt - meantMs, ok: isGood(status) })
  }
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) + 1)
    for (; sent < due; sent++) pending.push(one(sent))
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, 500 / perSecond)))
  }
  await Promise.all(pending)
  agent.destroy()
  return { samples, startedAt, statuses }
}

function ask({ url, headers }: LoadRequest, agent: Agent, timeoutMs: number): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent, headers: { ...headers }, timeout: timeoutMs }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
      answer.once('error', () => resolve(0))
    })
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', () => resolve(0))
    outgoing.end()
  })
}
