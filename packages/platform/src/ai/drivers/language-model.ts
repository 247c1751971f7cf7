import type { LanguageModelV3 } from '@ai-sdk/provider'
import { SECOND } from '@seaworthy/core'
import { TooLongError } from '../../connections/index.ts'
import { type EngineDriver, EngineFailure, type ModelAt, type Question, type Told, type ToldPiece } from '../engine.ts'

type Options = Parameters<LanguageModelV3['doGenerate']>[0]
type Usage = Awaited<ReturnType<LanguageModelV3['doGenerate']>>['usage']

/** Drivers that are made of a model of the AI SDK, which speaks the protocol and is loaded at the first question. Retries are ours. */
export function driverOf(open: (at: ModelAt) => Promise<LanguageModelV3>): EngineDriver {
  return {
    ask: async (at, question, signal) => {
      try {
        const { content, usage, finishReason } = await (await open(at)).doGenerate(optionsOf(question, signal))
        refuseNothing(content.length, finishReason.unified)
        const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
        return { text, ...tokensOf(usage), cut: finishReason.unified === 'length' }
      } catch (error) {
        throw toFailure(error)
      }
    },
    stream: async function* (at, question, signal): AsyncGenerator<ToldPiece> {
      try {
        const { stream } = await (await open(at)).doStream(optionsOf(question, signal))
        yield* piecesOf(stream)
      } catch (error) {
        throw toFailure(error)
      }
    },
  }
}

/** No answer at all is none of an empty text: it does not want to, or speaks another protocol. */
function refuseNothing(parts: number, finish: string): void {
  if (finish === 'content-filter')
    throw new EngineFailure('it does not want to answer this', { kind: 'refused', mayCost: true })
  if (parts === 0 && finish !== 'length') throw new EngineFailure('it says nothing', { kind: 'failed', mayCost: true })
}

type Parts = Awaited<ReturnType<LanguageModelV3['doStream']>>['stream']

async function* piecesOf(stream: Parts): AsyncGenerator<ToldPiece> {
  let ended = false
  for await (const part of stream as unknown as AsyncIterable<Parts extends ReadableStream<infer P> ? P : never>) {
    if (part.type === 'text-delta') yield { text: part.delta }
    else if (part.type === 'error') throw part.error
    else if (part.type === 'finish') {
      ended = part.finishReason.unified !== 'other' && part.finishReason.unified !== 'error'
      yield { end: { ...tokensOf(part.usage), cut: part.finishReason.unified === 'length' } }
    }
  }
  if (!ended) throw new EngineFailure('the answer broke off', { kind: 'failed', mayCost: true })
}

function optionsOf(question: Question, abortSignal: AbortSignal): Options {
  const { instructions, text, images, schema, temperature, answerTokensMax, mend } = question
  const files = images.map(({ type, bytes }) => ({ type: 'file' as const, mediaType: type, data: bytes }))
  const prompt: Options['prompt'] = [
    { role: 'system', content: instructions },
    { role: 'user', content: [{ type: 'text', text }, ...files] },
  ]
  if (mend)
    prompt.push(
      { role: 'assistant', content: [{ type: 'text', text: mend.answer }] },
      { role: 'user', content: [{ type: 'text', text: mend.fault }] },
    )
  return {
    prompt,
    temperature,
    maxOutputTokens: answerTokensMax,
    abortSignal,
    ...(schema ? { responseFormat: { type: 'json' as const, schema, name: 'answer' } } : {}),
  }
}

const TOKENS_MAX = 10_000_000

/** Counts of others are believed as far as they can be true. */
const count = (value: number | undefined): number | undefined =>
  value !== undefined && Number.isFinite(value) && value >= 0 ? Math.min(TOKENS_MAX, Math.ceil(value)) : undefined

const tokensOf = ({ inputTokens, outputTokens }: Usage): Pick<Told, 'tokensIn' | 'tokensOut'> => ({
  tokensIn: count(inputTokens.total),
  tokensOut: count(outputTokens.total),
})

/** As far as the SDK tells: an answer has a status, a call without one never got as far or broke off. */
function toFailure(error: unknown): EngineFailure {
  if (error instanceof EngineFailure) return error
  const { statusCode: status, responseHeaders: headers } = error as {
    statusCode?: number
    responseHeaders?: Record<string, string>
  }
  const options = { cause: withoutWords(error), retryAfterMs: retryAfterOf(headers?.['retry-after']) }
  if ([...causesOf(error)].some((cause) => cause instanceof TooLongError))
    return new EngineFailure('its answer is too long', { kind: 'too-long', ...options, mayCost: true })
  if (status === 429) return new EngineFailure('it has too much to do (429)', { kind: 'busy', ...options })
  if (status === 503 && options.retryAfterMs !== undefined)
    return new EngineFailure('it has too much to do (503)', { kind: 'busy', ...options })
  if (status === 408 || (status !== undefined && status >= 500))
    return new EngineFailure(`it answers with ${status}`, { kind: 'failed', ...options })
  if (status !== undefined && status >= 300)
    return new EngineFailure(`it refuses with ${status}`, { kind: 'refused', ...options })
  if (neverSent.has(findCode(error) ?? ''))
    return new EngineFailure('it cannot be reached', { kind: 'failed', ...options })
  return new EngineFailure('it breaks off, or answers what nobody understands', {
    kind: 'failed',
    ...options,
    mayCost: true,
  })
}

/** What was asked stands in the errors of the SDK, and engines repeat it in theirs: neither may reach a log. */
const withoutWords = (error: unknown): Error => {
  const code = findCode(error)
  return new Error(`${error instanceof Error ? error.name : 'an error'}${code ? ` ${code}` : ''}`)
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const DEPTH = 6

const causesOf = function* (error: unknown): Generator<object> {
  let cause = error
  for (let depth = 0; depth < DEPTH && typeof cause === 'object' && cause !== null; depth++) {
    yield cause
    cause = (cause as { cause?: unknown }).cause
  }
}

/** `ECONNREFUSED` and the like. */
function findCode(error: unknown): string | undefined {
  for (const cause of causesOf(error)) {
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string' && /^[A-Z_0-9]{3,40}$/.test(code)) return code
  }
  return undefined
}

/** Seconds, or a date. */
function retryAfterOf(header: string | undefined): number | undefined {
  if (!header) return undefined
  if (/^\d{1,6}$/.test(header)) return Number(header) * SECOND
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
