import type { GeneralClaim } from './claim.ts'
import { loadGeneralClaims } from './claims/index.ts'
import type { ConfigFile } from './config.ts'
import { examineGeneral, type GeneralResult } from './examine.ts'
import { openTarget } from './target.ts'

export interface GeneralRun {
  readonly file: ConfigFile
  readonly commit: string
  readonly signal: AbortSignal
  /** Ids; all when there is none. */
  readonly ids?: readonly string[]
  readonly onResult?: (result: GeneralResult, left: number) => void
}

/** Runs the claims one after the other on one app: some of them disturb it on purpose. */
export async function runGeneralClaims(run: GeneralRun): Promise<readonly GeneralResult[]> {
  const claims = chooseGeneral(await loadGeneralClaims(), run.ids ?? [])
  const { target, close } = await openTarget(run.file)
  try {
    const results: GeneralResult[] = []
    for (const claim of claims) {
      if (run.signal.aborted) break
      const result = await examineGeneral(claim, target, run.commit)
      results.push(result)
      run.onResult?.(result, claims.length - results.length)
    }
    return results
  } finally {
    await close()
  }
}

function chooseGeneral(claims: readonly GeneralClaim[], ids: readonly string[]): readonly GeneralClaim[] {
  const wanted = ids.map((id) => id.toUpperCase()).filter((id) => id !== 'GEN')
  const unknown = wanted.filter((id) => !claims.some((claim) => claim.id === id))
  if (unknown.length) throw new Error(`there is no general claim ${unknown.join(', ')}`)
  return wanted.length ? claims.filter((claim) => wanted.includes(claim.id)) : claims
}
