import { type AccountCaller, type AccountId, AppError, fault } from '@seaworthy/core'
import { type Consent, hasConsent } from '../consent/index.ts'
import { type AskParts, askEngine } from './ask-engine.ts'
import { accountScope, appScope, ENDLESS, type Scope, taskScope } from './budgets.ts'
import { EngineFailure } from './engine.ts'
import { type Candidate, LOCAL, nameOf, type PreparedTask, questionOf } from './prepared-task.ts'
import type { AiAsk, LocalUse } from './task.ts'
import type { Turns } from './turns.ts'
import type { Tally } from './usage.ts'

/** What may be spent where nothing says less. */
export interface Budgets {
  readonly accountMoney: number
  readonly appMoney: number
  readonly accountTokens: number
}

export interface ChooseParts extends AskParts {
  readonly tally: Tally
  readonly budgets: Budgets
}

/** One run of a task. */
export interface Run {
  readonly prepared: PreparedTask
  readonly caller: AccountCaller
  /** As the task's schema parsed it. */
  readonly input: unknown
  readonly ask: AiAsk
  /** By `performance.now()`. */
  readonly untilMs: number
  readonly signal: AbortSignal
}

export interface Made {
  readonly value: unknown
  readonly engine: string
  readonly model: string
  /** Millionths of a dollar. */
  readonly money: number
}

/**
 * Asks the engines of the task in their order, each that the account allows, until one answers.
 * @throws the reason that its reader can do most about: the budget, an engine that fails, a consent, a setting
 */
export async function askInOrder(parts: ChooseParts, run: Run): Promise<Made> {
  const { candidates } = run.prepared
  const refused = await refusedConsents(parts.database, run.caller, candidates)
  const allowed = candidates.filter(({ use }) => use.kind !== 'outside' || !refused.has(use.consent))
  const faults: unknown[] = []
  for (const [i, candidate] of allowed.entries()) {
    run.signal.throwIfAborted()
    try {
      return await askOne(parts, run, candidate, i < allowed.length - 1)
    } catch (error) {
      if (!isOfEngine(error) || run.signal.aborted) throw error
      faults.push(error)
      const { name } = run.prepared.task
      parts.log.warn('an AI engine did not answer', { task: name, engine: nameOf(candidate), error })
    }
  }
  throw reasonOf(run.prepared, faults, [...refused.keys()])
}

const isOfEngine = (error: unknown): boolean =>
  error instanceof EngineFailure || (error instanceof AppError && error.code === 'ai_budget_used_up')

/** In one read, also where several engines ask for the same. */
async function refusedConsents(
  database: Turns,
  caller: AccountCaller,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<Consent | 'not-personal'>> {
  const asked = new Set(
    candidates.flatMap(({ use }) => (use.kind === 'outside' && use.consent !== 'not-personal' ? [use.consent] : [])),
  )
  if (asked.size === 0) return asked
  return database.withCaller(
    caller,
    async (tx) => {
      const refused = new Set<Consent>()
      for (const consent of asked) if (!(await hasConsent(tx, caller, consent))) refused.add(consent)
      return refused
    },
    { readOnly: true },
  )
}

async function askOne(parts: ChooseParts, run: Run, candidate: Candidate, hasOthers: boolean): Promise<Made> {
  const { prepared, caller, untilMs, signal, ask } = run
  const { task } = prepared
  const { engine } = candidate
  if (!engine) return runLocal(parts, run, candidate.use as LocalUse<unknown, unknown>)
  const asking = {
    accountId: caller.accountId,
    task: task.name,
    engine,
    question: questionOf(prepared, ask),
    output: task.output,
    scopes: scopesOf(prepared, caller.accountId, parts.budgets),
    // Half of what is left, with all its tries, while others could stand in.
    untilMs: hasOthers ? (untilMs + performance.now()) / 2 : untilMs,
    signal,
  }
  return { ...(await askEngine(parts, asking)), engine: engine.name, model: engine.model }
}

/** A function of ours: what it throws is a fault of the program, and no reason to ask somebody else. */
async function runLocal(
  { tally }: ChooseParts,
  { prepared, caller, input, signal }: Run,
  use: LocalUse<unknown, unknown>,
): Promise<Made> {
  const { task } = prepared
  const of = { accountId: caller.accountId, task: task.name, engine: LOCAL, model: '' }
  const started = performance.now()
  try {
    const value = task.output.parse(await use.run(input, { signal }))
    tally.free(of, { calls: 1, ms: performance.now() - started })
    return { value, engine: LOCAL, model: '', money: 0 }
  } catch (error) {
    tally.free(of, { calls: 1, failures: 1, ms: performance.now() - started })
    throw error
  }
}

function scopesOf({ task, app }: PreparedTask, accountId: AccountId, budgets: Budgets): readonly Scope[] {
  const { moneyPerDayMax, tokensPerDayMax } = task.budget
  const scopes: Scope[] = [
    { name: accountScope(accountId), moneyMax: budgets.accountMoney, tokensMax: budgets.accountTokens },
    { name: appScope(app), moneyMax: budgets.appMoney, tokensMax: ENDLESS },
  ]
  if (moneyPerDayMax !== undefined || tokensPerDayMax !== undefined)
    scopes.push({
      name: taskScope(task.name, accountId),
      moneyMax: moneyPerDayMax ?? ENDLESS,
      tokensMax: tokensPerDayMax ?? ENDLESS,
    })
  return scopes
}

function reasonOf(
  { missing }: PreparedTask,
  faults: readonly unknown[],
  refused: readonly (Consent | 'not-personal')[],
): AppError {
  const budget = faults.find((error): error is AppError => error instanceof AppError)
  if (budget) return budget
  const failures = faults.filter((error): error is EngineFailure => error instanceof EngineFailure)
  const [failure] = failures
  if (failure) return unavailable(failures, failure)
  const [consent] = refused
  if (consent && consent !== 'not-personal')
    return fault('consent_required', {
      detail: `${consent.title}: this account has not agreed to it. An admin of the account can, under Privacy.`,
      fields: [{ path: 'consent', message: consent.name }],
    })
  return fault('ai_not_set_up', { detail: `Whoever runs this service can set ${missing.join(' or ')} to enable it.` })
}

function unavailable(failures: readonly EngineFailure[], cause: EngineFailure): AppError {
  const internal = failures.map(({ kind, message }) => `${kind}: ${message}`).join('; ')
  if (failures.every(({ kind }) => kind === 'unusable' || kind === 'too-long' || kind === 'refused'))
    return fault('ai_answer_unusable', { internal, cause })
  const waits = failures.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  const retryAfterSeconds = waits.length ? Math.max(1, Math.ceil(Math.min(...waits) / 1_000)) : 5
  return fault('ai_unavailable', { internal, cause, retryAfterSeconds })
}
