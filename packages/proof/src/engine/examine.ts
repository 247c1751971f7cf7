import type { Claim, Observation } from '../claim.ts'
import type { ClaimResult, SabotageResult } from '../result.ts'
import { missingPrograms } from '../rig/programs.ts'
import { openVariant, type Variant } from '../rig/rig.ts'
import type { Sabotage } from '../sabotage.ts'
import { type Judgement, judge, showLimit, showNumber } from '../verdict.ts'

export interface ExamineSettings {
  readonly root: string
  readonly seed: number
  readonly commit: string
  readonly signal: AbortSignal
}

const PATIENCE = 6
const PATIENCE_MIN_SECONDS = 45

/** Runs one experiment on the product as it is. */
export async function examine(claim: Claim, variant: Variant, settings: ExamineSettings): Promise<ClaimResult> {
  const started = performance.now()
  const result = (part: Partial<ClaimResult> & Pick<ClaimResult, 'verdict'>): ClaimResult => ({
    id: claim.id,
    says: claim.says,
    readings: [],
    evidence: [],
    met: {},
    witness: claim.witness,
    answers: claim.answers,
    seconds: (performance.now() - started) / 1_000,
    sabotages: [],
    at: new Date().toISOString(),
    commit: settings.commit,
    ...part,
  })
  const missing = missingPrograms(claim.needs ?? [])
  if (missing) return result({ verdict: 'could not test', why: missing })
  try {
    const observation = await experiment(claim, variant, settings.signal)
    const { verdict, readings, unmet } = judge(claim, observation)
    return result({
      verdict,
      readings,
      met: observation.met,
      evidence: observation.evidence ?? [],
      ...(observation.run ? { run: observation.run } : {}),
      ...(unmet.length ? { why: `it did not happen that ${unmet.join('; ')}` } : {}),
    })
  } catch (error) {
    return result({ verdict: 'could not test', why: `the experiment broke: ${(error as Error).message}` })
  }
}

/** Runs the experiment on a copy with one sabotage. Only a number of the claim itself that refutes it has caught it. */
export async function examineSabotage(
  claim: Claim,
  sabotage: Sabotage,
  { root, seed, signal }: ExamineSettings,
): Promise<SabotageResult> {
  const survived = (how: string): SabotageResult => ({ name: sabotage.name, caught: false, how })
  let variant: Variant
  try {
    variant = openVariant(root, seed, sabotage)
  } catch (error) {
    return survived((error as Error).message)
  }
  try {
    const judgement = judge(claim, await experiment(claim, variant, signal))
    const broken = judgement.readings.find((reading) => !reading.holds && !Number.isNaN(reading.value))
    if (judgement.unmet.length) return survived(`it did not happen that ${judgement.unmet.join('; ')}`)
    if (!broken) return survived(`the proof stayed green: ${describe(judgement)}`)
    return {
      name: sabotage.name,
      caught: true,
      how: `${broken.measure}: ${showNumber(broken.value)}, must be ${showLimit(broken.limit)}`,
    }
  } catch (error) {
    return survived(`the experiment broke: ${(error as Error).message}`)
  } finally {
    await variant.close()
  }
}

const describe = ({ readings }: Judgement): string =>
  readings.map(({ measure, value }) => `${measure} ${showNumber(value)}`).join(', ')

async function experiment(claim: Claim, variant: Variant, signal: AbortSignal): Promise<Observation> {
  const open = variant.openRig()
  const late = AbortSignal.timeout(Math.max(PATIENCE_MIN_SECONDS, claim.seconds * PATIENCE) * 1_000)
  try {
    return await Promise.race([claim.experiment(open.rig), rejectWhenAborted(AbortSignal.any([signal, late]), claim)])
  } finally {
    await open.close()
  }
}

function rejectWhenAborted(signal: AbortSignal, claim: Claim): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void =>
      reject(new Error(`${claim.id} took far longer than the ${claim.seconds} s it says, or was stopped`))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
