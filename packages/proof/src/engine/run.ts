import type { Claim } from '../claim.ts'
import type { ClaimResult, SabotageResult } from '../result.ts'
import { openVariant } from '../rig/rig.ts'
import { type ExamineSettings, examine, examineSabotage } from './examine.ts'

export interface RunSettings extends ExamineSettings {
  readonly claims: readonly Claim[]
  /** Also runs every sabotage of every claim that was proven. */
  readonly sabotage: boolean
  readonly onProgress: (progress: Progress) => void
}

export interface Progress {
  readonly done: ClaimResult | { readonly id: string; readonly sabotage: SabotageResult }
  readonly left: number
  readonly secondsLeft: number
}

const SIDE_BY_SIDE = 2
/** Starting a stack of its own, and making a copy. */
const SABOTAGE_OVERHEAD_SECONDS = 5

/** One piece of work; those that need the machine alone run when nothing else does. */
interface Task {
  readonly seconds: number
  readonly alone: boolean
  readonly run: () => Promise<void>
}

/** Examines claims, side by side where they may, then their sabotages. Results come in the order of the claims. */
export async function runClaims(settings: RunSettings): Promise<readonly ClaimResult[]> {
  const { claims, signal, onProgress } = settings
  const results = new Map<string, ClaimResult>()
  const clock = countDown(claims, settings.sabotage)
  const variant = openVariant(settings.root, settings.seed)
  try {
    await runTasks(
      claims.map((claim) => ({
        seconds: claim.seconds,
        alone: claim.alone ?? false,
        run: async () => {
          const result = await examine(claim, variant, settings)
          results.set(claim.id, result)
          onProgress({ done: result, ...clock.spend(claim.seconds) })
        },
      })),
      signal,
    )
  } finally {
    await variant.close()
  }
  if (settings.sabotage) await runSabotages(settings, results, clock)
  return claims.map((claim) => results.get(claim.id)).filter((result) => result !== undefined)
}

async function runSabotages(
  settings: RunSettings,
  results: Map<string, ClaimResult>,
  clock: ReturnType<typeof countDown>,
): Promise<void> {
  const tasks = settings.claims.flatMap((claim) =>
    claim.sabotages.map(
      (sabotage): Task => ({
        seconds: claim.seconds + SABOTAGE_OVERHEAD_SECONDS,
        alone: claim.alone ?? false,
        run: async () => {
          const control = results.get(claim.id)
          if (!control) return
          const outcome =
            control.verdict === 'proven'
              ? await examineSabotage(claim, sabotage, settings)
              : {
                  name: sabotage.name,
                  caught: false,
                  how: `without it the claim is not proven either: ${control.verdict}`,
                }
          const current = results.get(claim.id) ?? control
          results.set(claim.id, { ...current, sabotages: [...current.sabotages, outcome] })
          settings.onProgress({
            done: { id: claim.id, sabotage: outcome },
            ...clock.spend(claim.seconds + SABOTAGE_OVERHEAD_SECONDS),
          })
        },
      }),
    ),
  )
  await runTasks(tasks, settings.signal)
}

/** Those side by side first, the longest first; then one after the other those that need the machine alone. */
async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const together = tasks.filter((task) => !task.alone).sort((a, b) => b.seconds - a.seconds)
  const lane = async (): Promise<void> => {
    for (let task = together.shift(); task && !signal.aborted; task = together.shift()) await task.run()
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
  for (const task of tasks) if (task.alone && !signal.aborted) await task.run()
}

function countDown(claims: readonly Claim[], sabotage: boolean) {
  const parts = claims.flatMap((claim) => [
    claim.seconds,
    ...(sabotage ? claim.sabotages.map(() => claim.seconds + SABOTAGE_OVERHEAD_SECONDS) : []),
  ])
  let left = parts.length
  let seconds = parts.reduce((sum, part) => sum + part, 0)
  return {
    spend: (spent: number) => {
      left--
      seconds -= spent
      return { left, secondsLeft: Math.max(0, Math.round(seconds / SIDE_BY_SIDE)) }
    },
  }
}
