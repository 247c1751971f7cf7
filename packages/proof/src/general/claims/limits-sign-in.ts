import { type Answer, headerOf } from '../answer.ts'
import { defineGeneralClaim, type Found } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'
import type { Running } from '../running.ts'
import { ask } from '../somebody.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'wrong passwords may be tried without end': [31],
  'a limit believes a header of the caller': [30],
  'a limit is forgotten at a restart': [29],
  'one account may be attacked from many addresses': [31],
  'a refusal does not say when to come back': [33],
  'a refusal is plain text': [33],
} as const
type Mistake = keyof typeof mistakes

/** Nobody mistypes a password so often. */
const TRIES_MAX = 120
const ADDRESSES = 60

export const claim = defineGeneralClaim({
  id: 'GEN-06',
  says: 'Guessing passwords ends soon, whatever the guesser claims to be, across a restart and from many addresses',
  mistakes,
  answers: ['R1', 'R3', 'ASVS 2.4.1', 'ASVS 6.3.1'],
  needs: ['process', 'people', 'signIn'],
  find: async (target) => {
    const email = (await target.newcomer()).email
    const first = await target.withProcess({}, async (app) => {
      await app.ready()
      return { ...(await exhaust(target, app)), many: await fromManyAddresses(target, app, email) }
    })
    const { findings, refusal, many } = first
    if (!refusal) return { findings: [...findings, ...many], met: { 'passwords were tried': true } }
    const later = await target.withProcess({}, async (app) => {
      await app.ready()
      return guess(target, app, { from: HOME })
    })
    const forgotten =
      later.status === 429
        ? []
        : [shown('a limit is forgotten at a restart', later, { row: `before the restart: ${refusal.status}` })]
    return { findings: [...findings, ...many, ...forgotten], met: { 'a guess was refused': refusal.status === 429 } }
  },
})

/** Nobody else comes from here. */
const HOME = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.9`

interface Guess {
  readonly from: string
  readonly email?: string
  readonly headers?: Record<string, string>
}

const guess = ({ config }: Target, app: Running, { from, email, headers = {} }: Guess): Promise<Answer> =>
  ask(app.url, config.signIn ?? '', {
    from,
    headers,
    values: { email: email ?? `${newMark()}@example.com`, password: 'wrong password 1' },
  })

async function exhaust(target: Target, app: Running): Promise<{ findings: Finding<Mistake>[]; refusal?: Answer }> {
  let answer = await guess(target, app, { from: HOME })
  for (let tries = 1; tries < TRIES_MAX && answer.status !== 429; tries++)
    answer = await guess(target, app, { from: HOME })
  if (answer.status !== 429)
    return { findings: [shown('wrong passwords may be tried without end', answer, { row: `${TRIES_MAX} tries` })] }
  const findings: Finding<Mistake>[] = []
  const seen = Object.keys(answer.headers).join(', ')
  if (!headerOf(answer, 'retry-after') && !headerOf(answer, 'ratelimit-reset') && !headerOf(answer, 'ratelimit'))
    findings.push(shown('a refusal does not say when to come back', answer, { answer: `429 with ${seen}` }))
  if (!/json/.test(headerOf(answer, 'content-type'))) findings.push(shown('a refusal is plain text', answer))
  const disguised = await guess(target, app, { from: HOME, headers: { 'x-forwarded-for': '203.0.113.7' } })
  if (disguised.status !== 429)
    findings.push(shown('a limit believes a header of the caller', disguised, { row: 'refused without the header' }))
  return { findings, refusal: answer }
}

/** One guess from each of many addresses, all about one account. */
async function fromManyAddresses(target: Target, app: Running, email: string): Promise<Found<Mistake>['findings']> {
  const base = HOME.replace(/\.9$/, '')
  let answer: Answer | undefined
  for (let i = 0; i < ADDRESSES; i++) {
    answer = await guess(target, app, { from: `${base}.${i + 20}`, email })
    if (answer.status === 429 || answer.status === 423) return []
  }
  return answer && answer.status > 0
    ? [shown('one account may be attacked from many addresses', answer, { row: `${ADDRESSES} addresses, one account` })]
    : []
}
