import type { Layout } from './layout.ts'
import { readIfThere, writeAtomically } from './write-file.ts'

/** In this order; a deploy may leave some out. */
export const deploySteps = [
  'preflight',
  'copy',
  'migrate',
  'start',
  'ready',
  'smoke',
  'canary',
  'switch',
  'bake',
  'drain',
  'prune',
] as const
export type StepName = (typeof deploySteps)[number]

export interface Step {
  readonly name: StepName
  readonly startedAt: string
  readonly ms?: number
}

/** What is being done, written before each step begins: whoever finds it later knows how far it came. */
export interface Journal {
  readonly kind: 'deploy' | 'rollback'
  readonly target: string
  /** What served when it began. */
  readonly from: string | undefined
  readonly by: string
  readonly startedAt: string
  readonly steps: readonly Step[]
}

export type Outcome = 'done' | 'failed' | 'reverted' | 'resumed'

export interface Finished extends Journal {
  readonly outcome: Outcome
  readonly endedAt: string
  readonly why?: string
}

export interface ReleaseRecord {
  readonly id: string
  readonly commit: string
  readonly version: string
  readonly copiedAt: string
  /** As it was asked for, where the release is an image. */
  readonly image?: string
  /** When it last began to serve all traffic. */
  readonly servedAt?: string
  /** Why it must not be taken again without a look. */
  readonly bad?: string
}

export interface HostState {
  readonly releases: readonly ReleaseRecord[]
  /** The release that all slots point to when nothing is under way. */
  readonly serving?: string
  readonly previous?: string
  /** Runs on without traffic, so that going back to it is a switch. */
  readonly warm?: string
  /** When a deploy last told the link that makes the first operator. */
  readonly operatorLinkAt?: string
  readonly current?: Journal
  readonly last?: Finished
}

export function readState(layout: Layout): HostState {
  const text = readIfThere(layout.state)
  return text === undefined ? { releases: [] } : (JSON.parse(text) as HostState)
}

export function updateState(layout: Layout, change: (state: HostState) => HostState): HostState {
  const next = change(readState(layout))
  writeAtomically(layout.state, `${JSON.stringify(next, null, 2)}\n`)
  return next
}

/** The journal with one step more; the one before has ended now. */
export function withStep(journal: Journal, name: StepName, now: Date): Journal {
  return { ...journal, steps: [...endLast(journal.steps, now), { name, startedAt: now.toISOString() }] }
}

export function endLast(steps: readonly Step[], now: Date): readonly Step[] {
  const last = steps.at(-1)
  if (!last || last.ms !== undefined) return steps
  return [...steps.slice(0, -1), { ...last, ms: now.getTime() - Date.parse(last.startedAt) }]
}

export const stepOf = (journal: Journal): StepName | undefined => journal.steps.at(-1)?.name
