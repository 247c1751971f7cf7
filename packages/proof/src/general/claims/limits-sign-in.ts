import { type Answer, headerOf } from '../answer.ts'
import { defineGeneralClaim, type Found } from '../claim.ts'
import { type Finding, shown } from '../finding.ts'
import { newMark } from '../route.ts'
import type { Running } from '../running.ts'
import { ask, enter } from '../somebody.ts'
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
/** Both processes start on the same data. */
const DATA = 'limits'

export const claim = defineGeneralClaim({
  id: 'GEN-06',
  says: 'Guessing passwords ends soon, whatever the guesser claims to be, across a restart and from many addresses',
  mistakes,
  answers: ['Z4', 'R4', 'R5', 'R6', 'I7', 'ASVS 6.3.1'],
  needs: ['process', 'people', 'signIn'],
  find: async (target) => {
    const first = await target.withProcess(
      {},
      async (app) => {
        await app.ready()
        const { email } = await enter(app.url, target.config)
        return { ...(await exhaust(target, app)), many: await fromManyAddresses(target, app, email) }
      },
      DATA,
    )
    const { tries, many, answered } = first
    if (!answered) return { findings: [], met: { [`guesses from ${HOME} were answered`]: false } }
    const findings = [...first.findings, ...many]
    if (tries >= TRIES_MAX) return { findings, met: { 'passwords were tried': true } }
    const later = await target.withProcess(
      {},
      async (app) => {
        await app.ready()
        return guessUntilRefused(target, app, tries)
      },
      DATA,
    )
    // Some limits give a try back every few seconds, which a start takes.
    if (later.tries > tries / 2)
      findings.push(
        shown('a limit is forgotten at a restart', later.answer, {
          row: `${tries} tries before it, ${later.tries} after`,
        }),
      )
    return { findings, met: { 'a guess was refused': true } }
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

/** How many guesses went through, and the answer that ended them. */
async function guessUntilRefused(
  target: Target,
  app: Running,
  max: number,
): Promise<{ tries: number; answer: Answer }> {
  let [tries, answer] = [0, await guess(target, app, { from: HOME })]
  for (; tries < max && answer.status !== 429; tries++) answer = await guess(target, app, { from: HOME })
  return { tries, answer }
}

interface Exhausted {
  readonly findings: Finding<Mistake>[]
  readonly tries: number
  /** Not every system lets a program come from any address of loopback. */
  readonly answered: boolean
}

async function exhaust(target: Target, app: Running): Promise<Exhausted> {
  const { tries, answer } = await guessUntilRefused(target, app, TRIES_MAX)
  const answered = answer.status > 0
  if (answer.status !== 429)
    return {
      answered,
      findings: [shown('wrong passwords may be tried without end', answer, { row: `${tries} tries` })],
      tries,
    }
  const findings: Finding<Mistake>[] = []
  const seen = Object.keys(answer.headers).join(', ')
  if (!headerOf(answer, 'retry-after') && !headerOf(answer, 'ratelimit-reset') && !headerOf(answer, 'ratelimit'))
    findings.push(shown('a refusal does not say when to come back', answer, { answer: `429 with ${seen}` }))
  if (!/json/.test(headerOf(answer, 'content-type'))) findings.push(shown('a refusal is plain text', answer))
  const disguised = await guess(target, app, { from: HOME, headers: { 'x-forwarded-for': '203.0.113.7' } })
  if (disguised.status !== 429)
    findings.push(shown('a limit believes a header of the caller', disguised, { row: 'refused without the header' }))
  return { findings, tries, answered }
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
