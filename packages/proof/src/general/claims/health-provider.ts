import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'health hangs with a provider that hangs': [38],
  'health fails when only a provider is down': [37, 110],
} as const

const PATIENCE_MS = 2_500

export const claim = defineGeneralClaim({
  id: 'GEN-05',
  says: 'Health answers at once and stays good when an outside provider hangs or fails',
  mistakes,
  answers: ['Z4', 'O11', 'C3'],
  needs: ['health', 'provider'],
  find: async ({ config, ask, provider }) => {
    const line = config.health ?? ''
    const before = await ask(line)
    const failing = await provider.during('failing', () => ask(line))
    const hanging = await provider.during('hanging', () => ask(line, { timeoutMs: PATIENCE_MS }))
    const found: Finding<keyof typeof mistakes>[] = []
    if (failing.status >= 500) found.push(shown('health fails when only a provider is down', failing))
    if (hanging.status === 0)
      found.push(shown('health hangs with a provider that hangs', hanging, { answer: `none within ${PATIENCE_MS} ms` }))
    return { findings: found, met: { 'health was good before': before.status === 200 } }
  },
})
