import { headerOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'answers name the software': [],
  'browsers may guess the type of an answer': [],
  'answers carry X-XSS-Protection': [71, 113],
  'any origin may call with credentials': [],
} as const
type Mistake = keyof typeof mistakes

const FOREIGN = 'https://evil.example'

export const claim = defineGeneralClaim({
  id: 'GEN-02',
  says: 'Answers name no software, forbid guessing of types, carry no harmful header, and open the API to no foreign site',
  mistakes,
  answers: ['Z4', 'H9', 'H10', 'ASVS 3.4.2', 'ASVS 3.4.4'],
  needs: ['health'],
  find: async ({ config, ask }) => {
    const answer = await ask(config.health ?? '')
    const foreign = await ask(config.signIn ?? config.health ?? '', { headers: { origin: FOREIGN } })
    const found: Finding<Mistake>[] = []
    const add = (mistake: Mistake, name: string): number =>
      found.push(shown(mistake, answer, { answer: `${answer.status}, ${name}: ${headerOf(answer, name) || 'none'}` }))
    if (headerOf(answer, 'x-powered-by')) add('answers name the software', 'x-powered-by')
    if (headerOf(answer, 'x-content-type-options') !== 'nosniff')
      add('browsers may guess the type of an answer', 'x-content-type-options')
    if (!/^0?$/.test(headerOf(answer, 'x-xss-protection'))) add('answers carry X-XSS-Protection', 'x-xss-protection')
    const allowed = headerOf(foreign, 'access-control-allow-origin')
    const open = headerOf(foreign, 'access-control-allow-credentials') === 'true'
    if (allowed === FOREIGN || (allowed === '*' && open))
      found.push(
        shown('any origin may call with credentials', foreign, {
          answer: `${foreign.status}, access-control-allow-origin: ${allowed}, credentials: ${open}`,
        }),
      )
    return { findings: found, met: { 'both requests were answered': answer.status > 0 && foreign.status > 0 } }
  },
})
