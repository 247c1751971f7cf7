import type { CheckName, CommandRun, Finding, Installation } from '../doctor/index.ts'

export const phases = ['before', 'during', 'after'] as const
export type Phase = (typeof phases)[number]

/** One line of a checklist: judged by a command, or signed by a person for a while. */
export type Item = Checked | Judged | Ran | Signed

interface Named {
  readonly name: string
  readonly title: string
}

/** A check of the doctor. Here what is to be looked after counts as red, too. */
interface Checked extends Named {
  readonly kind: 'check'
  readonly check: CheckName
}

/** Looked at in a moment. */
interface Judged extends Named {
  readonly kind: 'judge'
  readonly look: (here: Installation) => Finding | Promise<Finding>
}

/** A command that takes minutes: only with `--run`. What it said of this release is remembered. */
export interface Ran extends Named {
  readonly kind: 'run'
  readonly command: readonly string[]
  readonly validDays: number
  /** Why it is not needed here. */
  readonly unless?: (here: Installation) => string | undefined
}

/** Somebody with a name says so. */
export interface Signed extends Named {
  readonly kind: 'human'
  readonly validDays: number
  /** A new release, or another verdict of any other item, ends the signature before its time. */
  readonly covers: 'time' | 'release' | 'verdicts'
}

/** Runs a program in the checkout; `seaworthy` is this one. */
export type Execute = (command: readonly string[]) => Promise<CommandRun>
