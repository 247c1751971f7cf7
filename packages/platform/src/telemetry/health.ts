import { type Clock, pause, type RunbookName, systemClock } from '@seaworthy/core'

type HealthStatus = 'ok' | 'degraded' | 'failed'

export interface HealthCheck {
  readonly name: string
  /** A failing `must` makes the process not ready; a failing `nice` only shows. */
  readonly kind: 'must' | 'nice'
  /** What an operator follows when it fails. */
  readonly runbook: RunbookName
  readonly check: (signal: AbortSignal) => Promise<void>
}

export interface HealthReport {
  readonly status: HealthStatus
  readonly parts: readonly {
    readonly name: string
    readonly status: 'ok' | 'failed'
    readonly ms: number
    readonly problem?: string
    readonly runbook: RunbookName
  }[]
}

export interface Health {
  add(check: HealthCheck): void
  /** Cached for a second; a check that hangs counts as failed after 800 ms. */
  report(): Promise<HealthReport>
  /** Ends readiness for good: the process is going to stop. */
  drain(): void
  readonly draining: boolean
}

const CACHE_MS = 1_000
const CHECK_MS = 800

export function createHealth(clock: Clock = systemClock): Health {
  const checks: HealthCheck[] = []
  let draining = false
  let cached: { at: number; report: Promise<HealthReport> } | undefined
  return {
    add: (check) => void checks.push(check),
    report: () => {
      if (!cached || clock.now() - cached.at > CACHE_MS)
        cached = { at: clock.now(), report: runChecks(checks, () => draining) }
      return cached.report
    },
    drain: () => {
      draining = true
      cached = undefined
    },
    get draining() {
      return draining
    },
  }
}

async function runChecks(checks: readonly HealthCheck[], draining: () => boolean): Promise<HealthReport> {
  const parts = await Promise.all(checks.map(runCheck))
  const failed = (kind: HealthCheck['kind']): boolean =>
    parts.some((part, i) => part.status === 'failed' && checks[i]?.kind === kind)
  const status = draining() || failed('must') ? 'failed' : failed('nice') ? 'degraded' : 'ok'
  return { status, parts }
}

async function runCheck({ name, runbook, check }: HealthCheck): Promise<HealthReport['parts'][number]> {
  const started = performance.now()
  const late = new AbortController()
  const finish = (status: 'ok' | 'failed', problem?: string) => ({
    name,
    status,
    ms: Math.round(performance.now() - started),
    ...(problem ? { problem } : {}),
    runbook,
  })
  try {
    const outcome = await Promise.race([
      check(late.signal).then(() => 'done' as const),
      pause(CHECK_MS, late.signal).then(() => 'late' as const),
    ])
    return outcome === 'done' ? finish('ok') : finish('failed', `no answer within ${CHECK_MS} ms`)
  } catch (error) {
    return finish('failed', (error as Error).message)
  } finally {
    late.abort()
  }
}
