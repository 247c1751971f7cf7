import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = {
  'an error is kept and comes back as good': [26],
  'many who ask at once all ask the provider': [28],
} as const

const AT_ONCE = 12

export const claim = defineGeneralClaim({
  id: 'GEN-15',
  says: 'A cache keeps no errors, and asks its provider once for many who ask at once',
  mistakes,
  answers: ['Z4', 'K5', 'K6'],
  needs: ['people', 'provider'],
  find: async ({ config, people, provider }) => {
    const [person] = await people()
    const line = config.provider?.[0] ?? ''
    const text = newMark()
    const failed = await provider.during('failing', () => person.ask(line, { values: { text } }))
    const again = await provider.during('failing', () => person.ask(line, { values: { text } }))
    const found: Finding<keyof typeof mistakes>[] = []
    if (failed.status >= 500 && isOk(again))
      found.push(
        shown('an error is kept and comes back as good', again, { row: `the first answer was ${failed.status}` }),
      )
    const before = provider.calls()
    const other = newMark()
    const answers = await provider.during('slow', () =>
      Promise.all(Array.from({ length: AT_ONCE }, () => person.ask(line, { values: { text: other } }))),
    )
    const calls = provider.calls() - before
    const first = answers[0]
    if (first && calls > AT_ONCE / 2)
      found.push(shown('many who ask at once all ask the provider', first, { row: `${AT_ONCE} asked, ${calls} calls` }))
    return {
      findings: found,
      met: {
        'the failure arrived': failed.status >= 500,
        'the provider was asked': calls > 0,
        'all were answered': answers.every(isOk),
      },
    }
  },
})
