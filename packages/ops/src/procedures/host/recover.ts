import type { Host } from './host.ts'
import { finish } from './journal.ts'
import { drain, serveWith } from './serve.ts'
import { clearSlots, pointSlots } from './slots.ts'
import { type Finished, type HostState, type Journal, readState, type StepName, stepOf, updateState } from './state.ts'

/** What becomes of a command that was killed at some step. */
type Recovery =
  /** Nothing of it remains: traffic to what served before, what it had started is stopped. */
  | { readonly kind: 'revert' }
  /** Everything that could fail had been done: the rest is done now. */
  | { readonly kind: 'resume' }

const afterwards: readonly StepName[] = ['drain', 'prune']

/**
 * A deploy whose release was not watched to its end goes back to the release before, which still runs. Where there is
 * none to go back to, a release that was ready and had begun to serve goes on. A rollback that had begun to switch is
 * finished: somebody wanted to get away from the other release.
 */
export function recoveryOf(journal: Journal, isAlive: { readonly target: boolean; readonly from: boolean }): Recovery {
  const step = stepOf(journal)
  if (step && afterwards.includes(step)) return { kind: 'resume' }
  const switched = step === 'switch' || step === 'bake'
  if (!switched) return { kind: 'revert' }
  if (journal.kind === 'rollback') return { kind: 'resume' }
  return { kind: isAlive.target && !isAlive.from ? 'resume' : 'revert' }
}

/** Puts right what a killed command left behind. Undefined when there was nothing. The caller holds the lock. */
export async function recover(host: Host): Promise<Finished | undefined> {
  const state = readState(host.layout)
  const journal = state.current
  if (!journal) return undefined
  const { target, from } = journal
  const alive = {
    target: await host.runner.isAlive(target),
    from: from !== undefined && (await host.runner.isAlive(from)),
  }
  const { kind } = recoveryOf(journal, alive)
  const step = stepOf(journal) ?? 'its begin'
  host.tell('note', `A ${journal.kind} of ${target} by ${journal.by} was interrupted at ${step}: ${words[kind]}.`)
  await (kind === 'resume' ? resume(host, journal) : revert(host, journal, state))
  const last = finish(journal, kind === 'resume' ? 'resumed' : 'reverted', `interrupted at ${step}`)
  updateState(host.layout, ({ current: _, ...rest }) => ({ ...rest, last }))
  return last
}

const words: Readonly<Record<Recovery['kind'], string>> = {
  revert: 'it is taken back, and what served before serves',
  resume: 'the rest of it is done now',
}

async function resume(host: Host, { target, from }: Journal): Promise<void> {
  const { serving, warm } = readState(host.layout)
  if (serving !== target) serveWith(host, target)
  else pointSlots(host.layout, target)
  if (from && from !== target && from !== warm) await drain(host, from)
}

/** Also used by the command itself, when its release is no good. */
export async function revert(
  host: Host,
  { target, from }: Pick<Journal, 'target' | 'from'>,
  { serving, warm }: Pick<HostState, 'serving' | 'warm'>,
): Promise<void> {
  if (from) pointSlots(host.layout, from)
  else if (serving !== target) clearSlots(host.layout)
  if (target !== from && target !== warm) await drain(host, target)
}
