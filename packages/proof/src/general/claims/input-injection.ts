import { isOk, itemsOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = { 'SQL can be written into a search': [] } as const

const attempts = [`' or '1'='1`, `%' or '1' like '1`, `') or ('1'='1`, `%') or ('1' like '1`]

export const claim = defineGeneralClaim({
  id: 'GEN-10',
  says: 'What is searched for is text, whatever it looks like',
  mistakes,
  answers: ['Z4', 'H11', 'ASVS 1.2.4'],
  needs: ['people', 'resource.create', 'resource.search'],
  find: async ({ config: { resource = {} }, people }) => {
    const [person] = await people()
    const created = await person.ask(resource.create ?? '')
    const search = (text: string) => person.ask(resource.search ?? '', { values: { text } })
    const nothing = await search(newMark())
    for (const attempt of attempts) {
      const answer = await search(newMark() + attempt)
      if (isOk(answer) && itemsOf(answer).length > itemsOf(nothing).length)
        return {
          findings: [shown('SQL can be written into a search', answer)],
          met: { 'something was there to find': true },
        }
    }
    return { findings: [], met: { 'something was there to find': isOk(created) && isOk(nothing) } }
  },
})
