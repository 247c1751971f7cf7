import { headerOf, isOk } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  "one person is given another's answer": [25],
  'private answers may be kept by caches': [],
} as const

export const claim = defineGeneralClaim({
  id: 'GEN-14',
  says: 'Nobody is given an answer that was made for somebody else, by the app or by a cache on the way',
  mistakes,
  answers: ['Z4', 'K5', 'ASVS 14.3.2'],
  needs: ['people', 'private'],
  find: async ({ config, people, ask }) => {
    const [owner, other] = await people()
    const found: Finding<keyof typeof mistakes>[] = []
    let [personal, answered] = [0, true]
    for (const route of config.private ?? []) {
      const own = await owner.ask(route)
      answered &&= isOk(own)
      if (!own.text.includes(owner.email)) continue
      personal++
      const theirs = await other.ask(route)
      const nobodys = await ask(route)
      const wrong = [theirs, nobodys].find((answer) => answer.text.includes(owner.email))
      if (wrong)
        found.push(
          shown("one person is given another's answer", wrong, { about: route, row: `made for ${owner.email}` }),
        )
      const control = headerOf(own, 'cache-control')
      if (/public|max-age=[1-9]|s-maxage/.test(control) && !/no-store|private/.test(control))
        found.push(
          shown('private answers may be kept by caches', own, { about: route, answer: `cache-control: ${control}` }),
        )
    }
    return {
      findings: found,
      met: { 'some private answer names its owner': personal > 0, 'all were answered': answered },
    }
  },
})
