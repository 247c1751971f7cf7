import { pause, SECOND } from '@seaworthy/core'
import type { Finished } from './state.ts'

/** Tells people what became of a deploy or a rollback. Never fails: it is over by then. */
export type Notify = (finished: Finished) => Promise<void>

const POST_MS = 5 * SECOND
const MAIL_MS = 20 * SECOND

/** One letter; rejects when the server did not take it. */
export type Deliver = (letter: { readonly subject: string; readonly paragraphs: readonly string[] }) => Promise<void>

/** Several at once: one that hangs keeps no other waiting. */
export const notifyAll =
  (ways: readonly Notify[]): Notify =>
  async (finished) => {
    await Promise.all(ways.map((way) => way(finished)))
  }

/** A letter with one sentence and the steps. Tells who asked when it was not taken. */
export const notifyByMail =
  (deliver: Deliver, tell: (text: string) => void, waitMs = MAIL_MS): Notify =>
  async (finished) => {
    const { kind, target, outcome, why, from, steps } = finished
    const late = new AbortController()
    const letter = {
      subject: `${kind} of ${target} ${outcome}`.slice(0, SUBJECT_MAX),
      paragraphs: [
        `${sentenceOf(finished)}`,
        `Before it ${from ?? 'nothing'} served. ${finished.startedAt} to ${finished.endedAt}.`,
        ...(outcome === 'failed' && why ? ['What to do: seaworthy runbook bad-deploy'] : []),
        steps.map(({ name, ms }) => `${name} ${((ms ?? 0) / SECOND).toFixed(1)} s`).join(', ') || 'No step was taken.',
      ],
    }
    await Promise.race([
      deliver(letter),
      pause(waitMs, late.signal).then(() => {
        if (!late.signal.aborted) throw new Error(`the mail server took longer than ${waitMs / SECOND} s`)
      }),
    ])
      .catch((error: Error) => tell(`nobody was told by mail: ${error.message}`))
      .finally(() => late.abort())
  }

const SUBJECT_MAX = 150

const sentenceOf = ({ kind, target, outcome, why, by }: Finished): string =>
  `${kind} of ${target} ${outcome}${why ? `: ${why}` : ''} (${by})`

/** A POST with one sentence and the facts, in the form that chat programs take (`text`). Tells who asked when it was not taken. */
export const notifyByWebhook =
  (url: string, tell: (text: string) => void): Notify =>
  async (finished) => {
    const { kind, target, from, outcome, by, why, startedAt, endedAt } = finished
    const text = sentenceOf(finished)
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text, kind, release: target, before: from ?? null, outcome, by, why, startedAt, endedAt }),
      signal: AbortSignal.timeout(POST_MS),
    }).catch((error: unknown) => error as Error)
    if (response instanceof Error) tell(`nobody was told: ${response.message}`)
    else if (!response.ok) tell(`nobody was told: the webhook answered ${response.status}`)
  }
