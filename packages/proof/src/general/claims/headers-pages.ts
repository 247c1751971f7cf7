import { type Answer, headerOf } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'a page has no content security policy': [34],
  'a policy lets any inline script or style run': [35],
  'any site may put a page into a frame': [35],
  'pages load a tracker before anybody agreed': [113],
} as const
type Mistake = keyof typeof mistakes

const trackers =
  /<script[^>]+src="https?:\/\/[^"]*(googletagmanager|google-analytics|hm\.baidu|hotjar|connect\.facebook)/i

export const claim = defineGeneralClaim({
  id: 'GEN-01',
  says: 'Every page forbids foreign scripts, inline scripts and foreign frames, and tells nobody else who reads it',
  mistakes,
  answers: ['Z4', 'H10', 'ASVS 3.4.3', 'ASVS 3.4.6'],
  needs: ['pages'],
  find: async (target) => {
    const pages = target.config.pages ?? []
    const answers = await Promise.all(
      pages.map(async (page) => ({ page, answer: await target.ask(page, { headers: { accept: 'text/html' } }) })),
    )
    return {
      findings: answers.flatMap(({ page, answer }) => examinePage(page, answer)),
      met: { 'every page was answered': answers.every(({ answer }) => answer.status === 200) },
    }
  },
})

function examinePage(page: string, answer: Answer): Finding<Mistake>[] {
  const policy = headerOf(answer, 'content-security-policy')
  const seen = `${answer.status}, content-security-policy: ${policy || 'none'}`
  const found: Finding<Mistake>[] = []
  const add = (mistake: Mistake, text = seen): number =>
    found.push(shown(mistake, answer, { about: page, answer: text }))
  const tracker = trackers.exec(answer.text)
  if (tracker) add('pages load a tracker before anybody agreed', tracker[0])
  if (!policy) add('a page has no content security policy')
  if (/(script-src|style-src|default-src)[^;]*'unsafe-inline'(?![^;]*'(nonce|sha256)-)/.test(policy))
    add('a policy lets any inline script or style run')
  if (policy && !/frame-ancestors/.test(policy) && !headerOf(answer, 'x-frame-options'))
    add('any site may put a page into a frame')
  return found
}
