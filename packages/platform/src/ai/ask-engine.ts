import { type AccountId, backoffMs, pause, SECOND } from '@seaworthy/core'
import type { z } from 'zod'
import type { Logger } from '../telemetry/index.ts'
import { type Leases, reserve, type Scope, settle } from './budgets.ts'
import { costOf, type Engine, EngineFailure, mostOf, type Question, type Region, type Told } from './engine.ts'
import type { RetryBudget } from './retry-budget.ts'
import { mendRequest, readAnswerText } from './structured.ts'
import type { Turns } from './turns.ts'
import { recordUse } from './usage.ts'

export interface AskParts {
  readonly database: Turns
  readonly log: Logger
  readonly leases: Leases
  readonly retries: RetryBudget
}

/** One question to one engine, for one account. */
export interface Asking {
  readonly accountId: AccountId
  readonly task: string
  readonly engine: Engine
  readonly question: Question
  readonly output: z.ZodType
  readonly scopes: readonly Scope[]
  /** When whoever asks does not wait any longer, by `performance.now()`. */
  readonly untilMs: number
  readonly signal: AbortSignal
}

export interface Answered {
  readonly value: unknown
  readonly money: number
}

/** The first included, over all regions. */
const TRIES_MAX = 3
const BACKOFF_MS = 200
const BACKOFF_MAX_MS = 2 * SECOND
/** Whoever is to wait longer is told so at once. */
const WAIT_MAX_MS = 10 * SECOND

/**
 * Asks up to three times, in the next region where there is one, and once more when the answer cannot be used. Each try is
 * covered by the budget before it is made and counted after.
 * @throws `EngineFailure`, or `ai_budget_used_up`
 */
export async function askEngine(parts: AskParts, asking: Asking): Promise<Answered> {
  parts.retries.earn()
  const talk: Talk = { failed: undefined, tries: 0, money: 0, question: asking.question }
  for (;;) {
    const told = await tellWithTries(parts, asking, talk)
    const read = told.cut ? { ok: false as const, fault: 'It is too long.' } : readAnswerText(asking.output, told.text)
    if (read.ok) return { value: read.value, money: talk.money }
    // One chance to mend it; what is too long would only be too long again.
    if (talk.question.mend || told.cut || talk.tries >= TRIES_MAX)
      throw new EngineFailure(`its answer is not what the task needs: ${read.fault}`, { kind: 'unusable' })
    talk.question = { ...talk.question, mend: { answer: told.text, fault: mendRequest(read.fault ?? '') } }
  }
}

interface Talk {
  /** The region that failed last: another one is asked where there is one. */
  failed: Region | undefined
  tries: number
  money: number
  question: Question
}

async function tellWithTries(parts: AskParts, asking: Asking, talk: Talk): Promise<Told> {
  for (;;) {
    const region = chooseRegion(asking.engine, talk.failed)
    talk.tries++
    try {
      const told = await tryOnce(parts, { ...asking, question: talk.question }, region)
      talk.money += told.money
      return told
    } catch (error) {
      const failure = asFailure(error)
      talk.failed = region
      if (talk.tries >= TRIES_MAX || !(await waitForNext(parts, asking, failure, { region, tries: talk.tries })))
        throw failure
    }
  }
}

function chooseRegion({ regions }: Engine, failed: Region | undefined): Region {
  const now = Date.now()
  const able = regions.filter((each) => !each.isAlone(now))
  const region = able.find((each) => each !== failed) ?? able[0]
  if (!region) throw new EngineFailure('it has failed lately and is left alone', { kind: 'open' })
  return region
}

/** Whether another try makes sense, once it has waited for it. */
async function waitForNext(
  { retries }: AskParts,
  { engine, untilMs, signal }: Asking,
  { kind, retryAfterMs }: EngineFailure,
  { region, tries }: { readonly region: Region; readonly tries: number },
): Promise<boolean> {
  if ((kind !== 'busy' && kind !== 'failed') || signal.aborted) return false
  if (retryAfterMs !== undefined) region.rest(Date.now() + retryAfterMs)
  const elsewhere = engine.regions.some((other) => other !== region && !other.isAlone(Date.now()))
  const waitMs = elsewhere ? 0 : Math.max(retryAfterMs ?? 0, backoffMs(tries, BACKOFF_MS, BACKOFF_MAX_MS))
  if (waitMs > WAIT_MAX_MS || performance.now() + waitMs >= untilMs || !retries.take()) return false
  // It has asked for that time only: its rest ends with it.
  await pause(waitMs + (retryAfterMs === undefined ? 0 : JUST_AFTER_MS), signal)
  return !signal.aborted
}

const JUST_AFTER_MS = 5

async function tryOnce(parts: AskParts, asking: Asking, region: Region): Promise<Told & { readonly money: number }> {
  const { accountId, engine, question, scopes } = asking
  const most = mostOf(engine, question)
  const call = await reserve(parts.database, accountId, scopes, most)
  parts.leases.add(call)
  const started = performance.now()
  try {
    const told = await region.guard(() => askWithin(asking, region))
    const { tokensIn = most.tokensIn, tokensOut = most.tokensOut } = told
    const money = costOf(engine, tokensIn, tokensOut)
    await settleCall(parts, asking, call, {
      tokensIn,
      tokensOut,
      money,
      ms: performance.now() - started,
      failed: false,
    })
    return { ...told, money }
  } catch (error) {
    // Whether it was charged for, only the engine knows: counted as if it had cost its most, so that no budget leaks.
    const spent = asFailure(error).mayCost ? most : { tokensIn: 0, tokensOut: 0, money: 0 }
    await settleCall(parts, asking, call, { ...spent, ms: performance.now() - started, failed: true })
    throw error
  } finally {
    parts.leases.remove(call)
  }
}

/** Within its share of the time. */
async function askWithin({ engine, question, untilMs, signal }: Asking, { url }: Region): Promise<Told> {
  const leftMs = Math.max(1, untilMs - performance.now())
  const timeout = AbortSignal.timeout(Math.ceil(engine.regions.length > 1 ? leftMs / 2 : leftMs))
  try {
    return await engine.driver.ask({ url, ...engine }, question, AbortSignal.any([signal, timeout]))
  } catch (error) {
    if (timeout.aborted && !signal.aborted)
      throw new EngineFailure('it does not answer in time', { kind: 'failed', mayCost: true, cause: error })
    // Whoever asked is gone, or waits no longer: that says nothing about the engine.
    if (signal.aborted)
      throw new EngineFailure('nobody waits for it any more', { kind: 'refused', mayCost: true, cause: error })
    throw error
  }
}

interface Spent {
  readonly tokensIn: number
  readonly tokensOut: number
  readonly money: number
  readonly ms: number
  readonly failed: boolean
}

/** A failure to count is logged: the answer is there, and losing it would only pay for it twice. */
async function settleCall(
  { database, log }: Pick<AskParts, 'database' | 'log'>,
  { accountId, task, engine, scopes }: Pick<Asking, 'accountId' | 'task' | 'engine' | 'scopes'>,
  call: string,
  { tokensIn, tokensOut, money, ms, failed }: Spent,
): Promise<void> {
  const used = { calls: 1, failures: failed ? 1 : 0, tokensIn, tokensOut, money, ms }
  await database
    .withCaller({ accountId }, async (tx) => {
      await recordUse(tx, { accountId, task, engine: engine.name, model: engine.model }, used)
      await settle(tx, call, scopes, { money, tokens: tokensIn + tokensOut })
    })
    .catch((error: unknown) =>
      log.error('what an AI engine cost could not be counted', { runbook: 'requests-fail', error, task }),
    )
}

const asFailure = (error: unknown): EngineFailure => {
  if (error instanceof EngineFailure) return error
  throw error
}
