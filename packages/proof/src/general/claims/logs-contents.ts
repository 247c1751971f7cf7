import { until } from '../../rig/wait.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { Finding } from '../finding.ts'
import { newMark } from '../route.ts'

const mistakes = {
  'passwords are logged': [88],
  'secrets in addresses are logged': [88],
  'e-mail addresses are logged': [40, 88],
  'callers can write lines into the log': [],
  'SQL is logged in production': [104],
} as const
type Mistake = keyof typeof mistakes

const SETTLE_MS = 1_500
const sql = /\b(select\b.+\bfrom|insert into|update\b.+\bset|delete from)\b.*/i

export const claim = defineGeneralClaim({
  id: 'GEN-27',
  says: 'The log holds no password, no token, no address of a person and no SQL, and nobody writes lines into it',
  mistakes,
  answers: ['Z4', 'E7', 'O9', 'ASVS 16.2.5', 'ASVS 16.4.1'],
  needs: ['process', 'people', 'signIn'],
  find: async ({ config, newcomer, ask, output }) => {
    const person = await newcomer()
    const password = `Pw-${newMark()}`
    const tried = await ask(config.signIn ?? '', { values: { email: person.email, password } })
    const [token, forged] = [newMark(), `FORGED-${newMark()}`]
    await ask(`GET /nothing-here?token=${token}`)
    await ask(`GET /nothing%0A${forged}`)
    await ask(`GET /nothing-here?next=%0A${forged}`)
    // What is buffered comes with the lines that follow.
    await until('the last line is there', () => output().includes(forged), SETTLE_MS).catch(() => undefined)
    const log = output()
    const line = (form: string): string => log.split('\n').find((candidate) => candidate.includes(form)) ?? ''
    const findings: Finding<Mistake>[] = []
    const add = (mistake: Mistake, form: string, request: string): void => {
      if (log.includes(form)) findings.push({ mistake, request, row: line(form.trim()) })
    }
    add('passwords are logged', password, tried.request)
    add('e-mail addresses are logged', person.email, person.answer.request)
    add('secrets in addresses are logged', token, 'GET /nothing-here?token=...')
    add('callers can write lines into the log', `\n${forged}`, 'GET /nothing%0A...')
    const statement = sql.exec(log)
    if (statement) findings.push({ mistake: 'SQL is logged in production', row: statement[0].slice(0, 200) })
    return {
      findings,
      met: { 'the process prints something': log.length > 0, 'a sign-in was tried': tried.status > 0 },
    }
  },
})
