import { SECOND } from '@seaworthy/core'
import type { Finished } from './state.ts'

/** Tells people what became of a deploy or a rollback. Never fails: it is over by then. */
export type Notify = (finished: Finished) => Promise<void>

const POST_MS = 5 * SECOND

/** A POST with one sentence and the facts, in the form that chat programs take (`text`). Tells who asked when it was not taken. */
export const notifyByWebhook =
  (url: string, tell: (text: string) => void): Notify =>
  async ({ kind, target, from, outcome, by, why, startedAt, endedAt }) => {
    const text = `${kind} of ${target} ${outcome}${why ? `: ${why}` : ''} (${by})`
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text, kind, release: target, before: from ?? null, outcome, by, why, startedAt, endedAt }),
      signal: AbortSignal.timeout(POST_MS),
    }).catch((error: unknown) => error as Error)
    if (response instanceof Error) tell(`nobody was told: ${response.message}`)
    else if (!response.ok) tell(`nobody was told: the webhook answered ${response.status}`)
  }
