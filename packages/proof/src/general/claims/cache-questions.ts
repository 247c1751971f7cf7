import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = { 'two different questions share one answer': [87] } as const

export const claim = defineGeneralClaim({
  id: 'GEN-16',
  says: 'Two different questions never share one kept answer',
  mistakes,
  answers: ['Z4', 'G1', 'K5'],
  needs: ['people', 'question', 'provider'],
  find: async ({ config, people }) => {
    const [person] = await people()
    const mark = newMark()
    const line = config.question ?? ''
    const one = await person.ask(line, { values: { first: `${mark}a`, second: 'bc' } })
    const two = await person.ask(line, { values: { first: `${mark}ab`, second: 'c' } })
    return {
      findings:
        isOk(two) && one.text === two.text
          ? [shown('two different questions share one answer', two, { row: `also the answer to ${one.request}` })]
          : [],
      met: { 'both questions were answered': isOk(one) && isOk(two) },
    }
  },
})
