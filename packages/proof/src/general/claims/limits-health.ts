import { isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'monitors are refused by a limit': [32],
  'honest programs are refused by their name': [116],
} as const

const ASKED = 400
const FROM = '127.3.0.9'
const programs = ['curl/8.5.0', 'python-requests/2.32', 'Mozilla/5.0 (compatible; Googlebot/2.1)', 'kube-probe/1.31']
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

export const claim = defineGeneralClaim({
  id: 'GEN-07',
  says: 'Monitors and honest programs are never refused',
  mistakes,
  answers: ['Z4', 'R8', 'O11'],
  needs: ['health'],
  find: async ({ config, ask }) => {
    const line = config.health ?? ''
    const found: Finding<keyof typeof mistakes>[] = []
    const headers = { 'user-agent': BROWSER }
    const browser = await ask(line, { headers, from: FROM })
    for (const program of programs) {
      const answer = await ask(line, { headers: { 'user-agent': program }, from: FROM })
      if (answer.status === 403 || answer.status === 406)
        found.push(shown('honest programs are refused by their name', answer, { about: program }))
    }
    let asked = 0
    let answer = browser
    for (; asked < ASKED && answer.status !== 429; asked++) answer = await ask(line, { headers, from: FROM })
    if (answer.status === 429)
      found.push(shown('monitors are refused by a limit', answer, { row: `${asked} requests` }))
    return { findings: found, met: { 'health was good for a browser': isOk(browser) } }
  },
})
