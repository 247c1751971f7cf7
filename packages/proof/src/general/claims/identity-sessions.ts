import { isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import type { Somebody } from '../somebody.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'a session lives on after signing out': [107],
  'a refresh token can be used twice': [107],
  'one address has two accounts': [9],
} as const
type Mistake = keyof typeof mistakes

export const claim = defineGeneralClaim({
  id: 'GEN-20',
  says: 'Signing out ends the session, a refresh token works once, and one address has one account however it is written',
  mistakes,
  answers: ['Z4', 'I1', 'I2', 'I3', 'ASVS 7.4.1'],
  needs: ['people', 'me', 'signOut', 'signUp'],
  find: async ({ config, newcomer, ask }) => {
    const person = await newcomer()
    const leaver = await newcomer()
    const before = await leaver.ask(config.me ?? '')
    const out = await leaver.ask(config.signOut ?? '')
    const after = await leaver.ask(config.me ?? '')
    const survived = shown('a session lives on after signing out', after, { row: `signing out: ${out.status}` })
    const email = person.email.toUpperCase()
    const twin = await ask(config.signUp ?? '', { values: { email, password: person.password } })
    const hasTwin = isOk(twin) && JSON.stringify(jsonOf(twin) ?? {}).includes(email)
    const double = shown('one address has two accounts', twin, { row: `${person.email} had one already` })
    return {
      findings: [
        ...(await useTwice(ask, person, config.refresh)),
        ...(isOk(after) ? [survived] : []),
        ...(hasTwin ? [double] : []),
      ],
      met: { 'somebody was signed in and out': isOk(before) && out.status > 0 && out.status < 500 },
    }
  },
})

async function useTwice(ask: Target['ask'], person: Somebody, refresh?: string): Promise<Finding<Mistake>[]> {
  const refreshToken = pick(jsonOf(person.answer), 'refreshToken')
  if (!refresh || typeof refreshToken !== 'string') return []
  const first = await ask(refresh, { values: { refreshToken } })
  const second = await ask(refresh, { values: { refreshToken } })
  return isOk(first) && isOk(second) ? [shown('a refresh token can be used twice', second)] : []
}
