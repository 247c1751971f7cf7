import type { RunbookName } from '@seaworthy/core'
import { type CheckName, type CommandRun, type Installation, isFault, lookAt, type Verdict } from '../doctor/index.ts'
import { ABOUT, type Act, ROOT, type Runbook, type Step } from './runbook.ts'

export interface StepReport {
  readonly kind: Step['kind']
  readonly text: string
  /** `todo`: for somebody to do. `left`: not needed, or not wanted. */
  readonly verdict: Verdict | 'todo' | 'left'
  readonly found: string
  readonly next?: string
  readonly check?: CheckName
}

export interface Followed {
  readonly runbook: RunbookName
  readonly title: string
  readonly steps: readonly StepReport[]
  /** The checks that found something. */
  readonly faults: readonly CheckName[]
  /** `nothing`: no fault was found. `mended`: all is well in the end. `open`: it is not, or something is left to do. */
  readonly outcome: 'nothing' | 'mended' | 'open'
  /** The first thing to do now. */
  readonly next?: string
}

export interface FollowSettings {
  /** An e-mail address, or what else the runbook asks for. */
  readonly about?: string | undefined
  /** Before anything is changed. */
  readonly ask: (text: string, command: readonly string[]) => Promise<boolean>
  /** Somebody was told what to do, and says when it is done; false: not now. */
  readonly wait: (text: string) => Promise<boolean>
  /** Each step as it ends. */
  readonly tell: (report: StepReport) => void
}

interface Way {
  readonly runbook: RunbookName
  readonly here: Installation
  readonly settings: FollowSettings
  readonly faults: Set<CheckName>
  /** A listing that was judged, and is no check. */
  isBroken: boolean
}

/** Step by step, to the first that fails: an act that did not work, or a confirmation that is bad. */
export async function followRunbook(
  here: Installation,
  runbook: RunbookName,
  { title, steps }: Runbook,
  settings: FollowSettings,
): Promise<Followed> {
  const way: Way = { runbook, here, settings, faults: new Set(), isBroken: false }
  const reports: StepReport[] = []
  let failed: StepReport | undefined
  for (const step of steps) {
    const report = await take(way, step)
    reports.push(report)
    settings.tell(report)
    if (isFailed(report)) {
      failed = report
      break
    }
  }
  return { runbook, title, steps: reports, ...conclude(way, reports, failed) }
}

const isFailed = ({ kind, verdict }: StepReport): boolean =>
  (kind === 'act' || kind === 'confirm') && (verdict === 'bad' || verdict === 'unknown')

function conclude(
  way: Way,
  reports: readonly StepReport[],
  failed: StepReport | undefined,
): Pick<Followed, 'faults' | 'outcome' | 'next'> {
  const faults = [...way.faults]
  const found = reports.find(({ kind, verdict }) => kind !== 'confirm' && (verdict === 'bad' || verdict === 'warn'))
  const todo = reports.find(({ verdict }) => verdict === 'todo')
  const wasDone = reports.some(({ kind, verdict }) => (kind === 'act' || kind === 'human') && verdict === 'ok')
  const isOpen = failed !== undefined || todo !== undefined || way.isBroken || !endsWell(reports)
  if (!isOpen && faults.length === 0 && !wasDone) return { faults, outcome: 'nothing' }
  if (!isOpen && wasDone) return { faults, outcome: 'mended' }
  const next = failed?.next ?? todo?.text ?? found?.next
  return { faults, outcome: 'open', ...(next ? { next } : {}) }
}

const endsWell = (reports: readonly StepReport[]): boolean =>
  !reports.some(({ kind, verdict }) => kind === 'confirm' && verdict === 'warn')

async function take(way: Way, step: Step): Promise<StepReport> {
  const { kind, text } = step
  switch (kind) {
    case 'look':
    case 'confirm': {
      const { verdict, found, next } = await lookAt(way.here, step.check)
      if (kind === 'look' && isFault({ verdict, found })) way.faults.add(step.check)
      // Who follows this runbook is not sent to it again.
      const isHere = next?.includes(`seaworthy runbook ${way.runbook}`)
      return { kind, text, verdict, found, check: step.check, ...(next && !isHere ? { next } : {}) }
    }
    case 'list':
      return list(way, step)
    case 'human':
      return instruct(way, step)
    case 'act':
      return act(way, step)
  }
}

async function instruct(
  way: Way,
  { kind, text, expect, after, elsewhere }: Extract<Step, { kind: 'human' }>,
): Promise<StepReport> {
  if (!isWanted(way, after) || (elsewhere && way.here.host))
    return { kind, text, verdict: 'left', found: 'nothing was found that needs it' }
  const isDone = await way.settings.wait(`${text}\n    Expect: ${expect}`)
  return isDone
    ? { kind, text, verdict: 'ok', found: 'done' }
    : { kind, text, verdict: 'todo', found: `expect: ${expect}` }
}

/** After these looks; without names after any, or where somebody is named. */
const isWanted = ({ faults, settings: { about }, isBroken }: Way, after: readonly CheckName[] | undefined): boolean =>
  after ? after.some((check) => faults.has(check)) : faults.size > 0 || isBroken || about !== undefined

async function list(way: Way, { kind, text, command, judged }: Extract<Step, { kind: 'list' }>): Promise<StepReport> {
  const args = fill(way, command)
  if (!args) return { kind, text, verdict: 'left', found: 'needs --about' }
  const { code, output } = await way.here.run(args)
  if (code === 0) return { kind, text, verdict: 'ok', found: output.trim() || 'nothing' }
  if (judged) way.isBroken = true
  return { kind, text, verdict: judged ? 'bad' : 'unknown', found: output.trim(), next: `seaworthy ${args.join(' ')}` }
}

async function act(way: Way, step: Act): Promise<StepReport> {
  const { kind, text } = step
  const left = (found: string): StepReport => ({ kind, text, verdict: 'left', found })
  if (step.onHost && !way.here.host) return left('releases are not deployed from here')
  const args = fill(way, step.command)
  if (!args) return left('needs --about')
  if (!isWanted(way, step.after)) return left('nothing was found that needs it')
  const shown = `seaworthy ${args.join(' ')}`
  if (!(await way.settings.ask(text, args))) return { kind, text, verdict: 'todo', found: `not done: ${shown}` }
  const { code, output }: CommandRun = await way.here.run(args)
  return code === 0
    ? { kind, text, verdict: 'ok', found: `${shown}: ${output.trim().split('\n').at(-1) ?? ''}` }
    : {
        kind,
        text,
        verdict: 'bad',
        found: `${shown} ended with ${code}: ${output.trim().slice(-400)}`,
        next: `read what it says, and do it by hand: ${shown}`,
      }
}

/** Undefined where something is not known that the command needs. */
function fill({ here, settings: { about } }: Way, command: readonly string[]): readonly string[] | undefined {
  if (command.includes(ABOUT) && !about) return undefined
  const root = here.host ? ['--root', here.host.layout.root, '--runner', here.host.runner.name] : []
  return command.flatMap((word) => (word === ABOUT ? [about ?? ''] : word === ROOT ? root : [word]))
}
