import { setTimeout as sleep } from 'node:timers/promises'

const STEP_MS = 20

/** Asks until the answer is not undefined or false; fails with `what` at the deadline. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 15_000,
): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms for: ${what}`)
    await sleep(STEP_MS)
  }
}
