import { fault } from '@seaworthy/core'
import { createWorkQueue } from './work-queue.ts'

export type Verdict = { readonly kind: 'clean' } | { readonly kind: 'infected'; readonly name: string }

/** A program that knows malware. Both fail when it cannot be asked or says nothing that is understood. */
export interface Scanner {
  scan(path: string, signal: AbortSignal): Promise<Verdict>
  ping(signal: AbortSignal): Promise<void>
}

/** What the scanner says about a file. Throws `scanner_unavailable` when it said nothing in time. */
export type FileCheck = (path: string) => Promise<Verdict>

export interface FileCheckSettings {
  readonly scanner: Scanner
  /** For one file in all, waiting for its turn included. */
  readonly timeoutMs: number
  readonly count: (verdict: Verdict['kind'] | 'none') => void
}

const SCANS_MAX = 4
const WAITING_MAX = 20
const AGAIN_SECONDS = 30

/** Nothing is clean but what the scanner called clean: where it is away, slow or unclear, no file is taken. */
export function createFileCheck({ scanner, timeoutMs, count }: FileCheckSettings): FileCheck {
  const queue = createWorkQueue(SCANS_MAX, WAITING_MAX)
  return async (path) => {
    const late = AbortSignal.timeout(timeoutMs)
    try {
      const verdict = await queue.run(async () => {
        late.throwIfAborted()
        return scanner.scan(path, late)
      })
      count(verdict.kind)
      return verdict
    } catch (cause) {
      count('none')
      const why = late.aborted ? `no verdict within ${timeoutMs} ms` : (cause as Error).message
      throw fault('scanner_unavailable', {
        internal: `the virus scanner: ${why}. Is what CLAMD_URL names running?`,
        retryAfterSeconds: AGAIN_SECONDS,
        cause,
      })
    }
  }
}
