import { isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { parseRoute } from '../route.ts'
import type { Somebody } from '../somebody.ts'

const mistakes = {
  'people upgrade themselves': [1],
  'an ordinary person may do what only the system may': [2],
  'answers hold a password hash': [4],
  'usage may be negative': [3],
} as const
type Mistake = keyof typeof mistakes

const passwordField = /"[^"]*(password|passwd)[^"]*"\s*:\s*"/i

export const claim = defineGeneralClaim({
  id: 'GEN-18',
  says: 'People change only what is theirs to change: no plan, no subscription, no usage; and see no password hash',
  mistakes,
  answers: ['Z4', 'I6', 'P10', 'ASVS 8.2.3', 'ASVS 15.3.1'],
  needs: ['people', 'me'],
  find: async ({ config, newcomer }) => {
    const person = await newcomer()
    const me = await person.ask(config.me ?? '')
    const found: Finding<Mistake>[] = []
    const telling = [me, person.answer].find((answer) => passwordField.test(answer.text))
    if (telling) found.push(shown('answers hold a password hash', telling))
    for (const name of config.protected ?? []) found.push(...(await upgrade(person, name, config.profile, config.me)))
    found.push(...(await tryForbidden(person, config.forbidden)))
    const negative = config.usage ? await person.ask(config.usage, { values: { number: -100 } }) : undefined
    if (negative && isOk(negative)) found.push(shown('usage may be negative', negative))
    return { findings: found, met: { 'the own account was read': isOk(me) } }
  },
})

async function tryForbidden(person: Somebody, routes: readonly string[] = []): Promise<Finding<Mistake>[]> {
  const found: Finding<Mistake>[] = []
  for (const route of routes) {
    const answer = await person.ask(route)
    if (isOk(answer)) found.push(shown('an ordinary person may do what only the system may', answer, { about: route }))
  }
  return found
}

async function upgrade(person: Somebody, name: string, profile = '', me = ''): Promise<Finding<Mistake>[]> {
  const { body = '{}' } = parseRoute(profile)
  const before = pick(jsonOf(await person.ask(me)), name)
  const wanted = typeof before === 'number' ? before + 1_000 : 'owner-pro-2099'
  const changed = await person.ask(profile, { body: JSON.stringify({ ...JSON.parse(body), [name]: wanted }) })
  const after = pick(jsonOf(await person.ask(me)), name)
  return after === wanted && before !== wanted
    ? [shown('people upgrade themselves', changed, { about: name, row: `${name} was ${before}, is ${after}` })]
    : []
}
