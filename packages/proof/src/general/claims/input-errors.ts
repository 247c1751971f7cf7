import type { Answer } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'

const mistakes = {
  'error answers show SQL or messages of the database': [104],
  'error answers show where the code is': [104],
} as const
type Mistake = keyof typeof mistakes

const database =
  /syntax error at or near|invalid input syntax|unterminated quoted|relation "|violates \w+[- ]\w+|\bpg_\w+|select .+ from /i
const code = /\bat .{1,80}\(?(file:\/\/)?\/[^\s)]+:\d+:\d+|node_modules\//

export const claim = defineGeneralClaim({
  id: 'GEN-09',
  says: 'Errors tell the public neither SQL nor places in the code',
  mistakes,
  answers: ['Z4', 'H19', 'ASVS 16.5.1'],
  needs: ['people', 'resource.read'],
  find: async ({ config: { resource = {}, signIn }, people, ask }) => {
    const [person] = await people()
    const answers = [
      await person.ask(resource.read ?? '', { values: { id: "not-an-id'" } }),
      await person.ask(resource.read ?? '', { values: { id: '%00' } }),
      ...(resource.search ? [await person.ask(resource.search, { values: { text: `'"` } })] : []),
      ...(signIn
        ? [await ask(signIn, { body: '{"email": ]' }), await ask(signIn, { body: '{"email": {"a": 1}}' })]
        : []),
      await person.ask('GET /%E0%A4%A'),
    ]
    const first = (mistake: Mistake, form: RegExp): Finding<Mistake>[] => {
      const answer = answers.find((candidate: Answer) => form.test(candidate.text))
      return answer ? [shown(mistake, answer)] : []
    }
    return {
      findings: [
        ...first('error answers show SQL or messages of the database', database),
        ...first('error answers show where the code is', code),
      ],
      met: { 'an error was provoked': answers.some((answer) => answer.status >= 400) },
    }
  },
})
