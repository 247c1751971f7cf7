import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'it starts without a setting that it needs': [24, 36],
  'it starts with a placeholder as a secret': [24],
} as const
type Mistake = keyof typeof mistakes

const PLACEHOLDER = 'changeme-changeme-changeme-changeme'

export const claim = defineGeneralClaim({
  id: 'GEN-25',
  says: 'In production it refuses to start without its settings and with placeholders as secrets',
  mistakes,
  answers: ['Z4', 'C2', 'C4', 'ASVS 13.3.1'],
  needs: ['start.required'],
  find: async (target) => {
    const required = target.config.start?.required ?? []
    const secrets = target.config.start?.secrets ?? required.filter((name) => /SECRET|KEY|PASSWORD|TOKEN/.test(name))
    const findings = await Promise.all([
      ...required.map((name) => tryStart(target, 'it starts without a setting that it needs', name, undefined)),
      ...secrets.map((name) => tryStart(target, 'it starts with a placeholder as a secret', name, PLACEHOLDER)),
    ])
    return { findings: findings.flat(), met: { 'a start was tried': required.length + secrets.length > 0 } }
  },
})

/** It must end by itself, and not answer first. */
async function tryStart(
  target: Target,
  mistake: Mistake,
  name: string,
  value: string | undefined,
): Promise<Finding<Mistake>[]> {
  return target.withProcess({ [name]: value }, async (app) => {
    const serves = await app.ready().then(
      () => true,
      () => false,
    )
    if (!serves) return []
    return [{ mistake, about: name, request: `start with ${name}=${value ?? ''}`, answer: 'it serves' }]
  })
}
