import { areaOf } from '../claim.ts'
import { type ClaimResult, killRateOf, type Report } from '../result.ts'
import { showLimit, showNumber } from '../verdict.ts'
import { areaNames } from './areas.ts'
import { plotRun, escapeHtml as text } from './plot.ts'
import { reportStyles } from './styles.ts'

/** The report as one page, without scripts, that can be sent to somebody. */
export function renderHtml(report: Report): string {
  const order = Object.keys(areaNames)
  const areas = [...new Set(report.results.map(areaOf))].sort((a, b) => order.indexOf(a) - order.indexOf(b))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Proofs · Seaworthy</title>
<style>${reportStyles}</style>
</head>
<body>
<header>
<p class="eyebrow">Seaworthy · proofs</p>
<h1>${headline(report.results)}</h1>
<p class="facts">${facts(report)}</p>
<nav class="bar" aria-label="Every claim">${report.results.map(barPart).join('')}</nav>
<p class="legend">${summary(report.results)}</p>
</header>
<main>
${areas.map((area) => section(area, report.results)).join('\n')}
</main>
<footer>${machine(report)}</footer>
</body>
</html>
`
}

const barPart = ({ id, verdict }: ClaimResult): string =>
  `<a href="#${id}" data-verdict="${verdict}" title="${id}: ${verdict}" aria-label="${id}: ${verdict}"></a>`

function headline(results: readonly ClaimResult[]): string {
  const count = (verdict: string): number => results.filter((result) => result.verdict === verdict).length
  const [refuted, proven] = [count('refuted'), count('proven')]
  if (refuted) return `${refuted} of ${results.length} claims ${refuted === 1 ? 'is' : 'are'} refuted`
  return proven === results.length
    ? `All ${proven} claims are proven`
    : `${proven} of ${results.length} claims are proven`
}

function summary(results: readonly ClaimResult[]): string {
  const count = (verdict: string): number => results.filter((result) => result.verdict === verdict).length
  const present = ['proven', 'refuted', 'could not test', 'stale', 'human'].filter(count)
  return present.map((verdict) => `${count(verdict)} ${verdict}`).join(' · ')
}

function facts({ results, startedAt, seconds, commit }: Report): string {
  const { caught, all } = killRateOf(results)
  const sabotages = all
    ? `<strong>${caught} of ${all}</strong> sabotages were caught by the proof they were meant for.`
    : 'Sabotages were not run this time.'
  const when = text(startedAt.slice(0, 16).replace('T', ' '))
  return `Measured on ${when} UTC in ${Math.round(seconds)} s, commit <code>${text(commit)}</code>. ${sabotages}`
}

const section = (area: string, results: readonly ClaimResult[]): string => `<section aria-labelledby="area-${area}">
<h2 id="area-${area}">${text(areaNames[area] ?? area)}</h2>
${results
  .filter((result) => areaOf(result) === area)
  .map(card)
  .join('\n')}
</section>`

function card(result: ClaimResult): string {
  const { id, verdict, says, why, run, seconds, evidence, witness, answers } = result
  return `<article id="${id}" data-verdict="${verdict}">
<div class="head"><span class="verdict">${verdict}</span><span>${id}</span><span class="time">${seconds.toFixed(1)} s</span></div>
<h3>${text(says)}</h3>
${why ? `<p class="why">${text(why)}</p>` : ''}
${readings(result)}
${run ? plotRun(run) : ''}
${met(result)}
${sabotages(result)}
<p class="small">Judged by ${text(witness)}. Answers ${answers.map((answer) => `<code>${text(answer)}</code>`).join(' ')}.</p>
${evidence.length ? `<details><summary>Evidence</summary><pre>${text(evidence.join('\n'))}</pre></details>` : ''}
</article>`
}

function readings({ readings: rows }: ClaimResult): string {
  if (rows.length === 0) return ''
  const body = rows.map(
    ({ measure, value, limit, holds }) =>
      `<tr data-holds="${holds}"><th scope="row">${text(measure)}</th><td>${showNumber(value)} ${text(limit.unit)}</td><td>${text(showLimit(limit))}</td></tr>`,
  )
  return `<table><thead><tr><th scope="col">Measured</th><th scope="col">Is</th><th scope="col">Must be</th></tr></thead><tbody>${body.join('')}</tbody></table>`
}

function met(result: ClaimResult): string {
  const facts = Object.entries(result.met)
  if (facts.length === 0) return ''
  const words = facts.map(([what, happened]) => `${happened ? '' : '<strong>not: </strong>'}${text(what)}`)
  return `<p class="small">It happened that ${words.join('; ')}.</p>`
}

function sabotages(result: ClaimResult): string {
  if (result.sabotages.length === 0) return ''
  const items = result.sabotages.map(
    ({ name, caught, how }) =>
      `<li data-caught="${caught}"><strong>${caught ? 'caught' : 'not caught'}</strong> when ${text(name)} <span>(${text(how)})</span></li>`,
  )
  return `<ul class="sabotages">${items.join('')}</ul>`
}

function machine({ machine: { os, cpu, cores, memoryGiB, node, programs }, seed }: Report): string {
  const tools = Object.entries(programs).map(([name, version]) => `, ${name} ${version}`)
  return `<p>${text(`${os}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}${tools.join('')}. Seed ${seed}.`)}</p>`
}
