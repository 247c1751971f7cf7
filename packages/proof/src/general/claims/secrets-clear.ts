import { isOk, jsonOf } from '../answer.ts'
import { placesOf } from '../catalogue.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = {
  'a secret lies in the database in clear text': [7, 21, 86],
  "the app's own keys lie in the database in clear text": [70],
} as const

export const claim = defineGeneralClaim({
  id: 'GEN-28',
  says: 'Secrets that people entrust to the app are nowhere in the database in clear text, nor are keys that it gives out',
  mistakes,
  answers: ['Z4', 'I4', 'E6', 'G2'],
  needs: ['people', 'database', 'secrets'],
  find: async ({ config, newcomer, database }) => {
    const person = await newcomer()
    const client = await database()
    const findings: Finding<keyof typeof mistakes>[] = []
    let taken = true
    for (const line of config.secrets ?? []) {
      const secret = `sk-${newMark()}`
      const answer = await person.ask(line, { values: { secret } })
      taken &&= isOk(answer)
      for (const { place, value } of await placesOf(client, secret))
        findings.push({
          mistake: 'a secret lies in the database in clear text',
          about: place,
          request: answer.request,
          row: `${place}: ${value}`,
        })
    }
    const issued = config.issueKey ? await person.ask(config.issueKey) : undefined
    const key = longestText(issued ? jsonOf(issued) : undefined)
    for (const { place, value } of key ? await placesOf(client, key) : [])
      findings.push({
        mistake: "the app's own keys lie in the database in clear text",
        about: place,
        request: config.issueKey ?? '',
        row: `${place}: ${value}`,
      })
    return { findings, met: { 'every secret was taken in': taken, 'a key was given out': !issued || isOk(issued) } }
  },
})

function longestText(value: unknown): string {
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : []
  const long = texts.filter(
    (text): text is string => typeof text === 'string' && text.length >= 20 && !/^[\da-f-]{36}$/.test(text),
  )
  return long.sort((a, b) => b.length - a.length)[0] ?? ''
}
