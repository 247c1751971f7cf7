import { DAY, MINUTE } from '@seaworthy/core'
import type { z } from 'zod'
import type { Consent } from '../consent/index.ts'

/** Engines of others, by the names of their settings. */
export type OutsideName = 'asi' | 'openai' | 'gemini' | 'v0'

/** A picture that goes with a question. */
export interface AiImage {
  readonly type: 'image/jpeg' | 'image/png' | 'image/webp'
  readonly bytes: Uint8Array
}

/** What is asked, besides the fixed instructions: only what is written here leaves. */
export interface AiAsk {
  readonly text: string
  readonly images?: readonly AiImage[]
}

/** Somebody else's: asked only for accounts that agree that they see data of this class. */
export interface OutsideUse {
  readonly kind: 'outside'
  readonly engine: OutsideName
  readonly consent: Consent | 'not-personal'
  /** Instead of the model of the settings. */
  readonly model?: string
}

/** A model server of the operator's own: nothing leaves, so nobody is asked to agree. */
interface OwnUse {
  readonly kind: 'own'
  readonly model?: string
}

/** Real work in this process. */
export interface LocalUse<In = never, Out = unknown> {
  readonly kind: 'local'
  readonly run: (input: In, context: { readonly signal: AbortSignal }) => Promise<Out> | Out
}

export type EngineUse<In = never, Out = unknown> = OutsideUse | OwnUse | LocalUse<In, Out>

export const outside = (
  engine: OutsideName,
  options: { readonly consent: Consent | 'not-personal'; readonly model?: string },
): OutsideUse => ({ kind: 'outside', engine, ...options })
export const own = (options: { readonly model?: string } = {}): OwnUse => ({ kind: 'own', ...options })
export const local = <In, Out>(run: LocalUse<In, Out>['run']): LocalUse<In, Out> => ({ kind: 'local', run })

export interface CacheRule {
  /** Answers are never given after that many days, whatever happens. At most 30. */
  readonly days: number
  /** Asked anew after that many days; the kept one is given while no engine answers. Left out: not before the end. */
  readonly freshDays?: number
}

export interface AiTask<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly kind: 'ai-task'
  /** With the app's name in front: `notes.title`. */
  readonly name: string
  /** Raise it when the same question must get another answer: nothing kept for an earlier version is given. */
  readonly version: number
  readonly input: Input
  /** Of JSON values. What an engine says becomes a value of it, or nothing: an answer can order nothing. */
  readonly output: Output
  /** Fixed, so that nothing that people write can become an instruction. */
  readonly instructions: string
  readonly ask: (input: z.output<Input>) => AiAsk
  /** Asked in this order, each when those before it may not be asked or do not answer. */
  readonly engines: readonly EngineUse<z.output<Input>, z.input<Output>>[]
  readonly cache: CacheRule | 'none'
  /** Which class of data it is about, in the words of the consents: `photos of receipts`. */
  readonly data: string
  readonly budget: {
    /** Of one answer. */
    readonly answerTokensMax: number
    /** For one account and day, in millionths of a dollar. Left out: only the budgets of the settings. */
    readonly moneyPerDayMax?: number
    readonly tokensPerDayMax?: number
  }
  /** 0 by default: the same question should get the same answer. An answer that is drawn by lot is not kept. */
  readonly temperature?: number
  /** Over all engines and tries. Default: AI_TIMEOUT. */
  readonly timeoutMs?: number
}

const form = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/
const NAME_MAX = 80
const DAYS_MAX = 30
const TOKENS_MAX = 100_000
const TIMEOUT_MAX_MS = 10 * MINUTE

/**
 * Something that engines answer: a plain value, like a route.
 *
 * @example
 * export const titleOf = aiTask({
 *   name: 'notes.title', version: 1, data: 'notes',
 *   input: z.strictObject({ text: z.string().max(4_000) }), output: z.strictObject({ title: z.string().max(80) }),
 *   instructions: 'Give the note a title of at most eight words, in its own language.',
 *   ask: ({ text }) => ({ text }),
 *   engines: [outside('openai', { consent: outsideReading }), local(({ text }) => ({ title: text.split('\n', 1)[0] ?? '' }))],
 *   cache: { days: 30 }, budget: { answerTokensMax: 60 },
 * })
 */
export function aiTask<Input extends z.ZodType, Output extends z.ZodType>(
  definition: Omit<AiTask<Input, Output>, 'kind'>,
): AiTask<Input, Output> {
  const { name, version, cache, temperature = 0, budget, engines, data, timeoutMs = MINUTE } = definition
  const refuse = (unless: boolean, why: string): void => {
    if (!unless) throw new Error(`the AI task ${name}: ${why}`)
  }
  refuse(form.test(name) && name.length <= NAME_MAX, 'a name is such as notes.title')
  refuse(isWhole(version, 1, 1_000_000), 'its version is a whole number from 1 on')
  refuse(isWhole(budget.answerTokensMax, 1, TOKENS_MAX), `an answer has 1 to ${TOKENS_MAX} tokens`)
  refuse(timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS, 'it takes ten minutes at most')
  refuse(engines.length > 0, 'names no engine')
  refuse(cache === 'none' || temperature === 0, 'an answer that is drawn by lot cannot be kept: cache is none')
  if (cache !== 'none') {
    refuse(cache.days > 0 && cache.days <= DAYS_MAX, `answers are kept for ${DAYS_MAX} days at most`)
    refuse((cache.freshDays ?? cache.days) <= cache.days, 'is asked anew before its answers are forgotten')
  }
  for (const use of engines)
    if (use.kind === 'outside' && use.consent !== 'not-personal')
      refuse(use.consent.data.includes(data), `the consent ${use.consent.name} is not about ${data}`)
  return { kind: 'ai-task', ...definition }
}

const isWhole = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max

export const keptMs = (rule: CacheRule): { readonly freshMs: number; readonly keptMs: number } => ({
  freshMs: (rule.freshDays ?? rule.days) * DAY,
  keptMs: rule.days * DAY,
})
