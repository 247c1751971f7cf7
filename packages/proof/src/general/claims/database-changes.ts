import { isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'

const mistakes = { 'the time of the last change stays': [11] } as const

export const claim = defineGeneralClaim({
  id: 'GEN-32',
  says: 'A change of a row changes the time of its last change',
  mistakes,
  answers: ['Z4', 'D12'],
  needs: ['people', 'database', 'resource.create', 'resource.change', 'resource.table'],
  find: async ({ config: { resource = {} }, people, database }) => {
    const [person] = await people()
    const client = await database()
    const created = await person.ask(resource.create ?? '')
    const id = String(pick(jsonOf(created), 'id'))
    const row = async (): Promise<Record<string, unknown>> =>
      (await client.query(`select * from ${resource.table} where id::text = $1`, [id])).rows[0] ?? {}
    const before = await row()
    const changed = await person.ask(resource.change ?? '', { values: { id } })
    const after = await row()
    const stays = 'updated_at' in before && String(Number(before.updated_at)) === String(Number(after.updated_at))
    const findings: Finding<keyof typeof mistakes>[] = stays
      ? [
          {
            mistake: 'the time of the last change stays',
            about: resource.table ?? '',
            request: changed.request,
            row: `updated_at ${String(after.updated_at)}`,
          },
        ]
      : []
    return { findings, met: { 'the row was made and changed': isOk(created) && isOk(changed) && 'id' in before } }
  },
})
