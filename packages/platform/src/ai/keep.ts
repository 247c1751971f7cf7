import { AppError, backoffMs, fault, newId, pause } from '@seaworthy/core'
import type { BlindIndex } from '../data/index.ts'
import type { Vault } from '../vault/index.ts'
import { LEASE_MS } from './budgets.ts'
import { askInOrder, type ChooseParts, type Made, type Run } from './choose.ts'
import { endFlight, indexOf, type KeptAnswer, keepAnswer, readAnswer, takeFlight } from './kept-answers.ts'
import { type CacheRule, keptMs } from './task.ts'

/** What is given for a question whose answers are kept. */
import type { Turns } from './turns.ts'

export interface Given {
  readonly kept: KeptAnswer
  readonly servedFrom: 'engine' | 'cache'
  readonly stale: boolean
}

export interface Keeper {
  readonly database: Turns
  readonly vault: Vault
  readonly choose: ChooseParts
  readonly remember: (name: string, kept: KeptAnswer) => void
}

export interface KeptRun extends Omit<Run, 'untilMs'> {
  /** SHA-256 of all that is asked. */
  readonly key: string
  /** The same with the account, for the memory of this process. */
  readonly name: string
  readonly cache: CacheRule
  readonly callMs: number
}

/** What stands in for the engine that is wanted is asked anew soon. In milliseconds. */
const STAND_IN_MS = 600_000
const LOOK_MS = 40
const LOOK_MAX_MS = 250

interface Look {
  readonly question: BlindIndex
  readonly kept: KeptAnswer | undefined
  /** This call asks for all. */
  readonly ours: boolean
}

/** From the table while it is fresh; else one call of all processes asks, and the others wait for what it keeps. */
export async function answerKept(keeper: Keeper, run: KeptRun): Promise<Given> {
  const untilMs = performance.now() + run.callMs
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(run.callMs)])
  const call = newId()
  for (let looks = 1; !signal.aborted; looks++) {
    const { question, kept, ours } = await look(keeper, run, call)
    if (ours) return askForAll(keeper, { ...run, untilMs, signal }, { call, question, kept })
    if (kept) return fromTable(keeper, run, kept)
    await pause(backoffMs(looks, LOOK_MS, LOOK_MAX_MS), signal)
  }
  throw overdue(signal)
}

/** Where it is not fresh somebody asks anew already, and nobody else needs to wait for that. */
function fromTable(keeper: Keeper, run: KeptRun, kept: KeptAnswer): Given {
  const isFresh = Date.now() < kept.freshUntilMs
  if (isFresh) keeper.remember(run.name, kept)
  return { kept, servedFrom: 'cache', stale: !isFresh }
}

function look({ database, vault }: Keeper, { caller, key }: KeptRun, call: string): Promise<Look> {
  return database.withCaller(caller, async (tx) => {
    const question = await indexOf(vault, tx, caller.accountId, key)
    const kept = await readAnswer(vault, tx, caller.accountId, question)
    if (kept && Date.now() < kept.freshUntilMs) return { question, kept, ours: false }
    const ours = await takeFlight(tx, caller.accountId, question, { call, leaseMs: LEASE_MS })
    // Between the look and the flight somebody may have kept an answer and landed.
    const landed = ours ? await readAnswer(vault, tx, caller.accountId, question) : kept
    if (!landed || Date.now() >= landed.freshUntilMs) return { question, kept: landed, ours }
    await endFlight(tx, caller.accountId, call)
    return { question, kept: landed, ours: false }
  })
}

interface Flight {
  readonly call: string
  readonly question: BlindIndex
  readonly kept: KeptAnswer | undefined
}

async function askForAll(keeper: Keeper, run: KeptRun & Run, { call, question, kept }: Flight): Promise<Given> {
  const { database, choose } = keeper
  const { accountId } = run.caller
  choose.leases.add(call)
  try {
    const started = performance.now()
    const made = await askInOrder(choose, run)
    const landed = await land(keeper, run, { call, question }, { made, ms: performance.now() - started })
    keeper.remember(run.name, landed)
    return { kept: landed, servedFrom: 'engine', stale: false }
  } catch (error) {
    await database
      .withCaller(run.caller, (tx) => endFlight(tx, accountId, call))
      .catch((failure: unknown) =>
        choose.log.warn('a question could not be given up: its lease ends it', { error: failure }),
      )
    if (kept && mayBeStale(error) && Date.now() < kept.expiresMs) return { kept, servedFrom: 'cache', stale: true }
    throw run.signal.aborted ? overdue(run.signal) : error
  } finally {
    choose.leases.remove(call)
  }
}

/** Old is better than nothing while engines are away, cost too much or may not be asked any more. */
const mayBeStale = (error: unknown): boolean =>
  error instanceof AppError && (error.code.startsWith('ai_') || error.code === 'consent_required')

function land(
  { database, vault }: Keeper,
  { caller, prepared, cache }: KeptRun,
  { call, question }: Pick<Flight, 'call' | 'question'>,
  { made, ms }: { readonly made: Made; readonly ms: number },
): Promise<KeptAnswer> {
  const times = keptMs(cache)
  const freshMs = made.engine === prepared.best ? times.freshMs : Math.min(times.freshMs, STAND_IN_MS)
  const { engine, model, money } = made
  const answer = {
    task: prepared.task.name,
    engine,
    model,
    text: JSON.stringify(made.value),
    money,
    ms,
    freshMs,
    keptMs: times.keptMs,
  }
  return database.withCaller(caller, async (tx) => {
    const kept = await keepAnswer(vault, tx, caller.accountId, question, answer)
    await endFlight(tx, caller.accountId, call)
    return kept
  })
}

/** Who went away is told nothing; who waited to the end is told to come again. */
export const overdue = (signal: AbortSignal): unknown =>
  signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
    ? fault('ai_unavailable', { internal: 'no answer within the time of the task', retryAfterSeconds: 5 })
    : signal.reason
