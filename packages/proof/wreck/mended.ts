import type { GeneralResult } from '../src/general/examine.ts'
import { runGeneralClaims } from '../src/general/run.ts'
import { mistakes, type WreckMistake } from './mistakes/index.ts'
import { openWreck } from './open-wreck.ts'

/** What came of mending one mistake alone: all three are empty when it went as it must. */
export interface Mended {
  readonly seconds: number
  /** The mistake, when it is still found. */
  readonly still: readonly string[]
  /** Others that are not found any more. */
  readonly lost: readonly string[]
  /** Findings that nobody has listed. */
  readonly unknown: readonly string[]
}

/** Runs the wreck with these mends. Without ids every claim looks; with ids only what they find is compared. */
export async function runMended(
  serverUrl: string,
  mended: readonly WreckMistake[],
  ids: readonly string[] = [],
): Promise<Mended & { readonly results: readonly GeneralResult[] }> {
  const started = performance.now()
  const wreck = await openWreck(serverUrl, mended)
  try {
    const signal = new AbortController().signal
    const results = await runGeneralClaims({ file: wreck.file, commit: 'wreck', signal, ids })
    const looked = mistakes.filter((mistake) => results.some((result) => result.id === mistake.claim))
    const found = looked.filter((mistake) => isFound(mistake, results))
    return {
      results,
      seconds: (performance.now() - started) / 1_000,
      still: found.filter((mistake) => mended.includes(mistake)).map(nameOf),
      lost: looked.filter((mistake) => !mended.includes(mistake) && !found.includes(mistake)).map(nameOf),
      unknown: results.flatMap(unlisted),
    }
  } finally {
    await wreck.close()
  }
}

const nameOf = ({ claim, says }: WreckMistake): string => `${claim} ${says}`

const isFound = (mistake: WreckMistake, results: readonly GeneralResult[]): boolean =>
  results.some(({ id, findings }) => id === mistake.claim && findings.some((finding) => isOf(finding, mistake)))

const isOf = (finding: GeneralResult['findings'][number], { mistake, about }: WreckMistake): boolean =>
  finding.mistake === mistake && (about === undefined || finding.about === about)

const unlisted = ({ id, findings }: GeneralResult): string[] =>
  findings
    .filter((finding) => !mistakes.some((mistake) => mistake.claim === id && isOf(finding, mistake)))
    .map((finding) => `${id} ${finding.mistake} ${finding.about ?? ''}`)
