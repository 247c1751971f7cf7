import { styleText } from 'node:util'
import type { Progress } from '../engine/run.ts'
import { type ClaimResult, killRateOf, type Report } from '../result.ts'
import { showLimit, showNumber, type VerdictName } from '../verdict.ts'

const colours: Readonly<Record<VerdictName, Parameters<typeof styleText>[0]>> = {
  proven: 'green',
  refuted: 'red',
  'could not test': 'yellow',
  stale: 'yellow',
  human: 'blue',
}

/** One line while it goes on. */
export function progressLine({ done, left, secondsLeft }: Progress): string {
  const rest = left ? styleText('gray', `  ${left} left, about ${secondsLeft} s`) : ''
  if ('sabotage' in done) {
    const { caught, name, how } = done.sabotage
    const word = caught ? styleText('green', 'caught        ') : styleText('red', 'SURVIVED      ')
    return `  ${word} ${done.id}  ${name}: ${styleText('gray', how)}${rest}`
  }
  return `  ${styleText(colours[done.verdict], done.verdict.padEnd(14))} ${done.id}  ${done.says}${rest}`
}

/** The whole of it, when it is over. */
export function summaryOf({ results, seconds }: Pick<Report, 'results' | 'seconds'>): string {
  const lines = results.flatMap((result) => [rowOf(result), ...problemsOf(result)])
  return `\n${lines.join('\n')}\n\n${countsOf(results)} in ${Math.round(seconds)} s\n`
}

const INDENT = ' '.repeat(23)

function rowOf(result: ClaimResult): string {
  const verdict = styleText(colours[result.verdict], result.verdict.padEnd(14))
  const numbers = result.readings
    .map(({ value, limit, measure, holds }) => {
      const text = `${measure} ${showNumber(value)} (${showLimit(limit)})`
      return holds ? text : styleText('red', text)
    })
    .join(', ')
  return `${verdict} ${result.id.padEnd(7)} ${result.says}${numbers ? `\n${INDENT}${styleText('gray', numbers)}` : ''}`
}

function problemsOf(result: ClaimResult): string[] {
  const survivors = result.sabotages.filter((sabotage) => !sabotage.caught)
  return [
    ...(result.why ? [`${INDENT}${styleText('yellow', result.why)}`] : []),
    ...(result.verdict === 'refuted' ? result.evidence.slice(0, 5).map((line) => `${INDENT}${line}`) : []),
    ...survivors.map(({ name, how }) => `${INDENT}${styleText('red', `not caught: ${name}: ${how}`)}`),
  ]
}

function countsOf(results: readonly ClaimResult[]): string {
  const counts = new Map<VerdictName, number>()
  for (const { verdict } of results) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  const { caught, all } = killRateOf(results)
  const sabotages = all ? `; ${caught} of ${all} sabotages caught (${Math.floor((caught / all) * 100)} %)` : ''
  return [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ') + sabotages
}
