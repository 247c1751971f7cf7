import type { Secret } from '@seaworthy/core'
import type { AiImage } from './task.ts'

/** What an engine is told. */
export interface Question {
  readonly instructions: string
  readonly text: string
  readonly images: readonly AiImage[]
  /** JSON schema of the answer; undefined for plain text. */
  readonly schema: Readonly<Record<string, unknown>> | undefined
  readonly temperature: number
  readonly answerTokensMax: number
  /** An answer that was no use, and why: the one chance to mend it. */
  readonly mend?: { readonly answer: string; readonly fault: string }
}

/** What an engine says. Untrusted, like everything from outside. */
export interface Told {
  readonly text: string
  /** As the engine counts; undefined when it does not say. */
  readonly tokensIn: number | undefined
  readonly tokensOut: number | undefined
  /** It stopped at the bound of the answer. */
  readonly cut: boolean
}

/** Pieces of a text as they come, and at the end what was told in all. */
export interface ToldPiece {
  readonly text?: string
  readonly end?: Omit<Told, 'text'>
}

export interface ModelAt {
  readonly url: string
  readonly key: Secret | undefined
  readonly model: string
}

/** Speaks one protocol. Throws `EngineFailure`, and nothing else. */
export interface EngineDriver {
  ask(at: ModelAt, question: Question, signal: AbortSignal): Promise<Told>
  stream(at: ModelAt, question: Question, signal: AbortSignal): AsyncIterable<ToldPiece>
}

/**
 * `busy`: it says that it has too much to do. `failed`: it does not answer, breaks off, or answers what is none of its
 * protocol. `refused`: it will never answer this. `too-long`: its answer is beyond every bound. `open`: it was not asked,
 * because it has failed lately. `unusable`: it answers, but not what the task needs.
 */
export type FailureKind = 'busy' | 'failed' | 'refused' | 'too-long' | 'open' | 'unusable'

export class EngineFailure extends Error {
  readonly kind: FailureKind
  /** It may have worked on it, so it may charge for it. */
  readonly mayCost: boolean
  readonly retryAfterMs: number | undefined

  constructor(message: string, { kind, mayCost = false, retryAfterMs, cause }: FailureOptions) {
    super(message, { cause })
    this.name = 'EngineFailure'
    this.kind = kind
    this.mayCost = mayCost
    this.retryAfterMs = retryAfterMs
  }
}

interface FailureOptions {
  readonly kind: FailureKind
  readonly mayCost?: boolean
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/** An engine as this installation has it. */
export interface Engine {
  readonly name: string
  readonly model: string
  readonly key: Secret | undefined
  /** Millionths of a dollar for a token. */
  readonly price: { readonly asked: number; readonly answered: number }
  readonly driver: EngineDriver
  readonly regions: readonly Region[]
}

/** One address of an engine, with what is known about how it does. */
export interface Region {
  readonly url: string
  /** Not asked before it has been left alone for a while, or because it asked for that. */
  isAlone(nowMs: number): boolean
  /** Until then it wants to be left alone. */
  rest(untilMs: number): void
  /** Runs it and learns from how it ends. Throws `EngineFailure` of the kind `open` without running it. */
  guard<T>(work: () => Promise<T>): Promise<T>
}

/** For two messages, their roles and what stands around them. */
const TOKENS_AROUND = 200
/** The most that models count for one picture of the size that we send. */
const TOKENS_IMAGE = 3_000

/**
 * What a question can cost at most: no tokenizer makes more tokens than there are bytes.
 */
export function mostOf({ price }: Pick<Engine, 'price'>, question: Question) {
  const { instructions, text, schema, mend, images } = question
  const texts = [instructions, text, schema ? JSON.stringify(schema) : '', mend?.answer ?? '', mend?.fault ?? '']
  const bytes = texts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  const tokensIn = bytes + TOKENS_AROUND + images.length * TOKENS_IMAGE
  const tokensOut = question.answerTokensMax
  return { tokensIn, tokensOut, tokens: tokensIn + tokensOut, money: costOf({ price }, tokensIn, tokensOut) }
}

/** In whole millionths of a dollar, rounded up. */
export const costOf = ({ price }: Pick<Engine, 'price'>, tokensIn: number, tokensOut: number): number =>
  Math.ceil(tokensIn * price.asked + tokensOut * price.answered)
