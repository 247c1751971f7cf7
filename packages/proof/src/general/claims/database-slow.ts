import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'

const mistakes = { 'an answer waits for the database without end': [102] } as const

const ANSWERS_WITHIN_MS = 30_000

export const claim = defineGeneralClaim({
  id: 'GEN-33',
  says: 'While the database is stuck, answers still come in time, whatever they say',
  mistakes,
  answers: ['Z4', 'D5'],
  needs: ['people', 'database', 'resource.list', 'resource.table'],
  find: async ({ config: { resource = {}, answersWithinMs = ANSWERS_WITHIN_MS }, people, database }) => {
    const [person] = await people()
    const before = await person.ask(resource.list ?? '')
    const client = await database()
    await client.query('begin')
    try {
      await client.query(`lock table ${resource.table} in access exclusive mode`)
      const answer = await person.ask(resource.list ?? '', { timeoutMs: answersWithinMs })
      const waits = answer.status === 0
      return {
        findings: waits
          ? [
              shown('an answer waits for the database without end', answer, {
                answer: `none within ${answersWithinMs} ms`,
                row: `lock table ${resource.table}`,
              }),
            ]
          : [],
        met: { 'the list was answered before': isOk(before) },
      }
    } finally {
      await client.query('rollback')
    }
  },
})
