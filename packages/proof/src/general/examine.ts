import { exactly } from '../claim.ts'
import type { ClaimResult } from '../result.ts'
import { judge } from '../verdict.ts'
import type { Found, GeneralClaim } from './claim.ts'
import { type Finding, lineOf } from './finding.ts'
import { missingNeeds } from './needs.ts'
import type { Target } from './target.ts'

export interface GeneralResult extends ClaimResult {
  readonly findings: readonly Finding[]
}

const limits = { findings: exactly(0, 'findings') }
const LATE_MS = 90_000

/** One claim about one app, as a result like every other. What could not be tried is never green. */
export async function examineGeneral(claim: GeneralClaim, target: Target, commit: string): Promise<GeneralResult> {
  const started = performance.now()
  const result = (part: Partial<GeneralResult> & Pick<GeneralResult, 'verdict'>): GeneralResult => ({
    id: claim.id,
    says: claim.says,
    readings: [],
    findings: [],
    evidence: [],
    met: {},
    witness: 'the app itself, from outside',
    answers: claim.answers,
    seconds: (performance.now() - started) / 1_000,
    sabotages: [],
    at: new Date().toISOString(),
    commit,
    ...part,
  })
  const missing = missingNeeds(target.config, claim.needs)
  if (missing) return result({ verdict: 'could not test', why: missing })
  try {
    const found = await findInTime(claim, target)
    return result(verdictOf(claim, found))
  } catch (error) {
    return result({ verdict: 'could not test', why: `the experiment broke: ${(error as Error).message}` })
  }
}

/** A finding refutes. Without one, whatever did not happen leaves the claim untested: the app is not to blame. */
function verdictOf(claim: GeneralClaim, { findings, met }: Found) {
  const { readings, unmet } = judge({ limits }, { measured: { findings: findings.length }, met })
  const why = unmet.length ? { why: `it did not happen that ${unmet.join('; ')}` } : {}
  const verdict = findings.length ? 'refuted' : unmet.length ? 'could not test' : 'proven'
  const evidence = findings.map((finding) => lineOf(finding, claim.mistakes[finding.mistake] ?? []))
  return { verdict, readings, findings, met, evidence, ...why } as const
}

async function findInTime(claim: GeneralClaim, target: Target): Promise<Found> {
  let late: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`${claim.id} took longer than ${LATE_MS / 1_000} s`)), LATE_MS)
  })
  try {
    return await Promise.race([claim.find(target), tooLate])
  } finally {
    clearTimeout(late)
  }
}
