import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'

const mistakes = { 'a histogram is declared and never observed': [39] } as const

export const claim = defineGeneralClaim({
  id: 'GEN-04',
  says: 'Every histogram that the metrics declare has observations after a few requests',
  mistakes,
  answers: ['Z4', 'O3'],
  needs: ['metrics'],
  find: async ({ config, ask }) => {
    await ask(config.pages?.[0] ?? config.health ?? 'GET /')
    const headers = config.metricsToken ? { authorization: `Bearer ${config.metricsToken}` } : {}
    const metrics = await ask(config.metrics ?? '', { headers })
    const declared = [...metrics.text.matchAll(/^# TYPE (\S*request\S*) histogram$/gm)].map((match) => match[1] ?? '')
    const silent = declared.filter((name) => !new RegExp(`^${name}_count(\\{[^}]*\\})? [1-9]`, 'm').test(metrics.text))
    return {
      findings: silent.map((name) =>
        shown('a histogram is declared and never observed', metrics, {
          about: name,
          answer: `${metrics.status}, no ${name}_count above 0`,
        }),
      ),
      met: { 'the metrics were answered': isOk(metrics) },
    }
  },
})
