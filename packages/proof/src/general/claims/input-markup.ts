import { headerOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'

const mistakes = { 'a page repeats markup of its address': [] } as const

const MARKUP = '<script>alert(document.domain)</script>'

export const claim = defineGeneralClaim({
  id: 'GEN-11',
  says: 'No page repeats markup that was written into its address',
  mistakes,
  answers: ['Z4', 'H11', 'ASVS 1.2.1'],
  needs: ['pageText'],
  find: async ({ config, ask }) => {
    const pages = (config.pages ?? []).filter((page) => page.includes('{text}'))
    const answers = await Promise.all(
      pages.map(async (page) => ({ page, answer: await ask(page, { values: { text: MARKUP } }) })),
    )
    const bad = answers.filter(
      ({ answer }) => answer.text.includes(MARKUP) && /html/.test(headerOf(answer, 'content-type')),
    )
    return {
      findings: bad.map(({ page, answer }) => shown('a page repeats markup of its address', answer, { about: page })),
      met: { 'the pages were answered': answers.every(({ answer }) => answer.status > 0 && answer.status < 500) },
    }
  },
})
