import { backoffMs, pause } from '@seaworthy/core'

export interface ConnectPlan {
  readonly tries: number
  readonly signal?: AbortSignal
  /** Told after each failed try: its number, the wait before the next, and why. */
  readonly onFailure?: (attempt: number, waitMs: number, error: unknown) => void
}

const BASE_MS = 2_000
const MAX_MS = 30_000

/** Runs `attempt` until it succeeds: 10 tries with 2, 4, 8 ... 30 s between them, jittered. Throws the last failure. */
export async function connectWithRetries<T>(attempt: () => Promise<T>, plan: ConnectPlan): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries >= plan.tries || plan.signal?.aborted) throw error
      const waitMs = backoffMs(tries, BASE_MS, MAX_MS)
      plan.onFailure?.(tries, waitMs, error)
      await pause(waitMs, plan.signal)
    }
  }
}

/** The parts of a connection string that name a server and a login. `sslmode` other than disable verifies the certificate. */
export function parseDatabaseUrl(text: string) {
  const url = new URL(text)
  if (!['postgres:', 'postgresql:'].includes(url.protocol))
    throw new Error('DATABASE_URL must start with postgresql://')
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  const mode = url.searchParams.get('sslmode') ?? (local ? 'disable' : 'verify-full')
  return {
    endpoint: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 5432),
      database: decodeURIComponent(url.pathname.slice(1)) || 'seaworthy',
      tls: mode === 'disable' ? ('off' as const) : ('verify' as const),
    },
    admin: { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
  }
}
