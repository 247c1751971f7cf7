import { isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'

const mistakes = { 'text is changed on its way in': [105] } as const

const TEXT = `O'Brien & <b>bold</b> {"$gt":""} 100% ünïcödé "quoted"`

export const claim = defineGeneralClaim({
  id: 'GEN-13',
  says: 'What somebody writes comes back as it was written',
  mistakes,
  answers: ['Z4', 'H11'],
  needs: ['people', 'resourceText', 'resource.read'],
  find: async ({ config: { resource = {} }, people }) => {
    const [person] = await people()
    const created = await person.ask(resource.create ?? '', { values: { text: TEXT } })
    const id = String(pick(jsonOf(created), 'id'))
    const read = await person.ask(resource.read ?? '', { values: { id } })
    const same = JSON.stringify(jsonOf(read) ?? '').includes(JSON.stringify(TEXT).slice(1, -1))
    return {
      findings:
        isOk(read) && !same ? [shown('text is changed on its way in', read, { row: `written was ${TEXT}` })] : [],
      met: { 'the text was written and read': isOk(created) && isOk(read) },
    }
  },
})
