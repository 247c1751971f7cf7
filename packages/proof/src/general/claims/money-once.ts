import { isOk, itemsOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = { 'a repeated request counts twice': [14, 84, 99] } as const

export const claim = defineGeneralClaim({
  id: 'GEN-21',
  says: 'A request that is repeated with its idempotency key counts once',
  mistakes,
  answers: ['Z4', 'H17', 'P5'],
  needs: ['people', 'once'],
  find: async ({ config, newcomer }) => {
    const person = await newcomer()
    const found: Finding<keyof typeof mistakes>[] = []
    let happened = true
    for (const [act, list] of config.once ?? []) {
      const headers = { 'idempotency-key': newMark() }
      const values = { text: newMark() }
      const before = itemsOf(await person.ask(list)).length
      const first = await person.ask(act, { headers, values })
      const second = await person.ask(act, { headers, values })
      const added = itemsOf(await person.ask(list)).length - before
      happened &&= isOk(first) && added > 0
      if (added > 1)
        found.push(shown('a repeated request counts twice', second, { about: act, row: `${added} rows in ${list}` }))
    }
    return { findings: found, met: { 'each request counted': happened } }
  },
})
