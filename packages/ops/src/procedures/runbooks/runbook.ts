import type { CheckName } from '../doctor/index.ts'

/** What somebody does when something is wrong, as a value: the same words are printed, run and documented. */
export interface Runbook {
  readonly title: string
  /** How one comes here: what people see, or the alarm in the log. */
  readonly symptom: string
  readonly steps: readonly Step[]
}

export type Step = Look | Listing | Act | Human | Confirm

/** Looks for a reason. Runs at once; whatever it finds, the next step follows. */
export interface Look {
  readonly kind: 'look'
  readonly check: CheckName
  /** Why here. */
  readonly text: string
}

/** A command that only reads, whose output is shown to whoever decides. */
interface Listing {
  readonly kind: 'list'
  readonly text: string
  readonly command: readonly string[]
  /** Exit codes other than 0 are a fault that was found. */
  readonly judged?: true
}

/** A command that changes something. Asked for first, and left out where no look before it found anything. */
export interface Act {
  readonly kind: 'act'
  readonly text: string
  readonly command: readonly string[]
  /** Only where one of these found something; without it, where any look did. */
  readonly after?: readonly CheckName[]
  /** Only where releases are deployed. */
  readonly onHost?: true
}

/** Somebody does this, and judges. */
export interface Human {
  readonly kind: 'human'
  readonly text: string
  readonly expect: string
  /** Only where one of these found something; without it, where any look did, or somebody is named. */
  readonly after?: readonly CheckName[]
  /** Only where releases are not deployed from here. */
  readonly elsewhere?: true
}

/** The end: must be well. */
export interface Confirm {
  readonly kind: 'confirm'
  readonly check: CheckName
  readonly text: string
}

/** In a command: the argument of `--about`. Where it is left out, steps that need it are not run. */
export const ABOUT = '{about}'
/** In a command: the folder of the releases, as `--root DIRECTORY`. */
export const ROOT = '{root}'

export const look = (check: CheckName, text: string): Look => ({ kind: 'look', check, text })
export const confirm = (check: CheckName, text: string): Confirm => ({ kind: 'confirm', check, text })
export const human = (text: string, expect: string, ...after: readonly CheckName[]): Human => ({
  kind: 'human',
  text,
  expect,
  ...(after.length ? { after } : {}),
})
