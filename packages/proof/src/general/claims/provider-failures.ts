import { until } from '../../rig/wait.ts'
import { crop } from '../answer.ts'
import { defineGeneralClaim, type Found } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import type { Running } from '../running.ts'
import { enter, type Somebody } from '../somebody.ts'
import type { Target } from '../target.ts'

const REPEATED = 'one click asks a failing provider again and again'
const SILENT = 'a failure leaves no line on the console'
const ENDED = 'a failure nobody waits for ends the process'
const mistakes = { [REPEATED]: [99], [SILENT]: [41], [ENDED]: [27] } as const
type Mistake = keyof typeof mistakes

const CALLS_MAX = 3
const LINE_MS = 600
const SETTLE_MS = 1_500
const trace = /error|fail|\b5\d\d\b/i

export const claim = defineGeneralClaim({
  id: 'GEN-23',
  says: 'A failing provider is asked a few times for one click, leaves a line on the console, and ends no process',
  mistakes,
  answers: ['Z4', 'G7', 'O9'],
  needs: ['process', 'people', 'provider'],
  find: async (target) =>
    target.withProcess({}, async (app) => {
      await app.ready()
      const person = await enter(app.url, target.config)
      const failing = await failAll(target, app, person)
      const ended = await resetAll(target, app, person)
      return { ...failing, findings: [...failing.findings, ...ended] }
    }),
})

/** Every route that asks the provider, once, while it fails. */
async function failAll({ config, provider }: Target, app: Running, person: Somebody): Promise<Found<Mistake>> {
  const findings: Finding<Mistake>[] = []
  let arrived = true
  for (const line of config.provider ?? []) {
    const [before, printed] = [provider.calls(), app.output().length]
    const failed = await provider.during('failing', () => person.ask(line))
    const calls = provider.calls() - before
    arrived &&= calls > 0
    if (calls > CALLS_MAX) findings.push(shown(REPEATED, failed, { about: line, row: `${calls} calls` }))
    const line5xx = await until('a line says so', () => trace.test(app.output().slice(printed)), LINE_MS).catch(
      () => false,
    )
    if (failed.status >= 500 && !line5xx)
      findings.push(shown(SILENT, failed, { about: line, row: crop(app.output().slice(printed)) }))
  }
  return { findings, met: { 'the provider was asked': arrived } }
}

/** The connection breaks in the middle; the process must live on. */
async function resetAll({ config, provider }: Target, app: Running, person: Somebody): Promise<Finding<Mistake>[]> {
  for (const line of config.provider ?? []) await provider.during('reset', () => person.ask(line))
  await until('the process ends', () => app.exit() !== undefined, SETTLE_MS).catch(() => undefined)
  const exit = app.exit()
  if (!exit) return []
  const request = `${(config.provider ?? []).join(', ')} while connections break`
  return [{ mistake: ENDED, request, answer: crop(`exit ${exit.code}: ${app.output().slice(-200)}`) }]
}
