import type { ClaimResult } from '../result.ts'
import { showNumber } from '../verdict.ts'

const place = /<!--proof ([A-Z]+-\d+)-->[\s\S]*?<!--\/-->/g

/** The deployment document with the newest verdict and number beside each claim, at `<!--proof NET-02--><!--/-->`. */
export function annotate(document: string, results: readonly ClaimResult[]): string {
  const known = new Map(results.map((result) => [result.id, result]))
  return document.replace(place, (_, id: string) => `<!--proof ${id}-->${noteOf(id, known.get(id))}<!--/-->`)
}

/** Ids that the document names and no claim has: a typing mistake, or a proof that is gone. */
export function unknownProofs(document: string, ids: readonly string[]): string[] {
  return [...document.matchAll(place)].map((match) => match[1] ?? '').filter((id) => !ids.includes(id))
}

function noteOf(id: string, result: ClaimResult | undefined): string {
  if (!result) return `${id}: *not run here*`
  const first = result.readings[0]
  const number = first ? `, ${first.measure} ${showNumber(first.value)} ${first.limit.unit}` : ''
  return `${id}: **${result.verdict}**${number}, ${result.at.slice(0, 10)}`
}
