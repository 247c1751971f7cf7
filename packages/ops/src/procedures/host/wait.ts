import { pause } from '@seaworthy/core'

const STEP_MS = 50

/** Asks until it is so; false at the deadline, or when `signal` is aborted. */
export async function untilTrue(
  ask: () => boolean | Promise<boolean>,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + deadlineMs
  for (;;) {
    if (await ask()) return true
    if (performance.now() > end || signal?.aborted) return false
    await pause(STEP_MS, signal)
  }
}
