import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { shown } from '../finding.ts'

const mistakes = { 'a download leaves its folder': [] } as const

const attempts = ['../../../../../../../../../../etc/passwd', '/etc/passwd', '....//....//....//....//....//etc/passwd']

export const claim = defineGeneralClaim({
  id: 'GEN-12',
  says: 'A download by name gives nothing from outside of its folder',
  mistakes,
  answers: ['Z4', 'H12', 'ASVS 5.3.2'],
  needs: ['download'],
  find: async ({ config, ask }) => {
    const answers = []
    for (const path of attempts) answers.push(await ask(config.download ?? '', { values: { path } }))
    const bad = answers.find((answer) => isOk(answer) && /^root:.*:0:0:/m.test(answer.text))
    return {
      findings: bad ? [shown('a download leaves its folder', bad)] : [],
      met: { 'every attempt was answered': answers.every((answer) => answer.status > 0) },
    }
  },
})
