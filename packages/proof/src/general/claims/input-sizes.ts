import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'a huge JSON body is accepted': [73],
  'broken JSON is a failure of the server': [],
} as const

const HUGE = 20 * 1024 * 1024

export const claim = defineGeneralClaim({
  id: 'GEN-08',
  says: 'A JSON body of 20 MB is refused as too large, and a broken one as a mistake of the caller',
  mistakes,
  answers: ['Z4', 'H3', 'H19'],
  needs: ['signIn'],
  find: async ({ config, ask }) => {
    const line = config.signIn ?? ''
    const small = await ask(line, { body: '{"pad":"x"}' })
    const huge = await ask(line, { body: `{"pad":"${'x'.repeat(HUGE)}"}`, headers: { connection: 'close' } })
    const broken = await ask(line, { body: '{"email": ]' })
    const found: Finding<keyof typeof mistakes>[] = []
    // Treated like a small one: it was read and parsed to its end.
    if (huge.status === small.status && small.status !== 429)
      found.push(
        shown('a huge JSON body is accepted', {
          ...huge,
          request: `${line.split(' {')[0]} with ${HUGE} bytes of JSON`,
        }),
      )
    if (broken.status >= 500 || isOk(broken)) found.push(shown('broken JSON is a failure of the server', broken))
    return { findings: found, met: { 'a small body was answered': small.status > 0 && small.status < 500 } }
  },
})
