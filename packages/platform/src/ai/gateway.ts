import { type AccountCaller, fault, MINUTE, MiB } from '@seaworthy/core'
import { LRUCache } from 'lru-cache'
import type { z } from 'zod'
import { type Database, refuseInTransaction } from '../data/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'
import { openLeases } from './budgets.ts'
import { askInOrder, type Budgets, type ChooseParts, type Made, type Run } from './choose.ts'
import type { Engine } from './engine.ts'
import { createFlights } from './flights.ts'
import { answerKept, type Given, type Keeper, overdue } from './keep.ts'
import type { KeptAnswer } from './kept-answers.ts'
import { type PreparedTask, prepareTask } from './prepared-task.ts'
import { questionKey } from './question-key.ts'
import { createRetryBudget } from './retry-budget.ts'
import type { AiTask, CacheRule } from './task.ts'
import { takeTurns } from './turns.ts'
import { openTally, type Tally } from './usage.ts'

/** An answer, and where it comes from. */
export interface AiAnswer<T> {
  readonly value: T
  /** `local` for a function of ours. */
  readonly engine: string
  readonly model: string
  readonly servedFrom: 'engine' | 'cache'
  /** Since an engine gave it, in milliseconds. */
  readonly ageMs: number
  /** It should have been asked anew, but no engine answered. */
  readonly stale: boolean
}

export interface AskedBy {
  /** Whose question it is: answers, budgets and consents are this account's. */
  readonly caller: AccountCaller
  /** Of whoever waits; when nobody waits any more the engine is told to stop. */
  readonly signal?: AbortSignal
}

/** What handlers and jobs ask AI engines with. Outside of transactions only: engines take seconds. */
export interface Ai {
  /**
   * @throws `invalid_input`, `ai_budget_used_up`, `ai_unavailable`, `ai_answer_unusable`, `consent_required`,
   * `ai_not_set_up`, and whatever a function of the task throws
   */
  run<In extends z.ZodType, Out extends z.ZodType>(
    task: AiTask<In, Out>,
    input: z.input<In>,
    by: AskedBy,
  ): Promise<AiAnswer<z.output<Out>>>
}

export interface Gateway extends Ai {
  /** Counts what is not counted yet. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export interface GatewayParts {
  readonly database: Database
  readonly vault: Vault
  readonly log: Logger
  readonly metrics: Metrics
  readonly engines: ReadonlyMap<string, Engine>
  readonly budgets: Budgets
  readonly cache: boolean
  /** Of the database, at a time. */
  readonly connectionsMax: number
  /** Where a task does not say less. */
  readonly callMs: number
}

const MEMORY_BYTES = 16 * MiB
/** How long answers outlive their account in the memory of a process. */
const MEMORY_MS = 5 * MINUTE
/** What an entry costs besides its text. */
const ENTRY_BYTES = 400

/** One for each process. It asks engines for tasks, keeps their answers, and counts. */
export function openGateway(parts: GatewayParts): Gateway {
  const { log, metrics, engines, budgets } = parts
  const database = takeTurns(parts.database, parts.connectionsMax)
  const tally = openTally(database, log, metrics)
  const leases = openLeases(database, log)
  const choose: ChooseParts = { database, log, leases, tally, retries: createRetryBudget(), budgets }
  const memory = new LRUCache<string, KeptAnswer>({
    maxSize: MEMORY_BYTES,
    sizeCalculation: ({ text }, name) => 2 * (text.length + name.length) + ENTRY_BYTES,
    ttl: MEMORY_MS,
  })
  metrics.gauge('ai_answers_in_memory', 'Answers of AI tasks in the memory of this process.', () => memory.size)
  const flights = createFlights<Given>()
  const keeper: Keeper = { database, vault: parts.vault, choose, remember: (name, kept) => void memory.set(name, kept) }
  const prepare = createPreparer(engines)

  async function runKept(run: Unlimited, cache: CacheRule, callMs: number, signal?: AbortSignal): Promise<Given> {
    const { prepared, caller } = run
    const key = questionKey(prepared.base, caller.accountId, run.input, run.ask)
    const name = `${caller.accountId} ${key}`
    const known = memory.get(name)
    if (known && Date.now() < known.freshUntilMs) return { kept: known, servedFrom: 'cache', stale: false }
    return flights.join(name, signal, (gone) => answerKept(keeper, { ...run, key, name, cache, callMs, signal: gone }))
  }

  return {
    run: async (task, input, { caller, signal }) => {
      refuseInTransaction('an AI engine is asked')
      const parsed = task.input.safeParse(input)
      if (!parsed.success) throw invalid(parsed.error)
      const prepared = prepare(task as unknown as AiTask)
      const run = { prepared, caller, input: parsed.data, ask: task.ask(parsed.data) }
      const callMs = task.timeoutMs ?? parts.callMs
      if (task.cache === 'none' || !parts.cache) return fromEngine(await runOnce(choose, run, callMs, signal))
      const given = await runKept(run, task.cache, callMs, signal)
      if (given.servedFrom === 'cache') countHit(tally, prepared, caller, given.kept)
      return fromKept(given)
    },
    flush: () => tally.flush(),
    stop: async () => {
      leases.stop()
      await tally.stop()
    },
  }
}

type Unlimited = Omit<Run, 'untilMs' | 'signal'>

/** What is the same for all questions of a task is worked out at the first. */
function createPreparer(engines: ReadonlyMap<string, Engine>): (task: AiTask) => PreparedTask {
  const known = new WeakMap<AiTask, PreparedTask>()
  return (task) => {
    const prepared = known.get(task) ?? prepareTask(task, engines)
    known.set(task, prepared)
    return prepared
  }
}

async function runOnce(choose: ChooseParts, run: Unlimited, callMs: number, given?: AbortSignal): Promise<Made> {
  const timeout = AbortSignal.timeout(callMs)
  const signal = given ? AbortSignal.any([given, timeout]) : timeout
  try {
    return await askInOrder(choose, { ...run, untilMs: performance.now() + callMs, signal })
  } catch (error) {
    throw signal.aborted ? overdue(signal) : error
  }
}

const countHit = (tally: Tally, { task }: PreparedTask, { accountId }: AccountCaller, kept: KeptAnswer): void =>
  tally.hit({ accountId, task: task.name, engine: kept.engine, model: kept.model }, kept.id, kept.money)

const fromEngine = <T>({ value, engine, model }: Made): AiAnswer<T> => ({
  value: value as T,
  engine,
  model,
  servedFrom: 'engine',
  ageMs: 0,
  stale: false,
})

/** A value of its own for each: nobody changes what others are given. */
const fromKept = <T>({ kept, servedFrom, stale }: Given): AiAnswer<T> => ({
  value: JSON.parse(kept.text) as T,
  engine: kept.engine,
  model: kept.model,
  servedFrom,
  ageMs: Math.max(0, Date.now() - kept.createdMs),
  stale,
})

const invalid = (error: z.ZodError) =>
  fault('invalid_input', {
    fields: error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  })
