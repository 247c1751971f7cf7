import { isOk, jsonOf, pick } from '../answer.ts'
import { defineGeneralClaim } from '../claim.ts'
import type { GeneralConfig } from '../config.ts'
import { type Finding, shown } from '../finding.ts'
import type { Somebody } from '../somebody.ts'
import type { Target } from '../target.ts'

const mistakes = {
  'a token without a signature is accepted': [],
  'a token never ends': [],
  'a token does not say which key signed it': [107],
} as const
type Mistake = keyof typeof mistakes

const WEEK_SECONDS = 7 * 86_400

export const claim = defineGeneralClaim({
  id: 'GEN-19',
  says: 'Tokens are signed, end within a week and name their key',
  mistakes,
  answers: ['Z4', 'I2', 'ASVS 9.1.1', 'ASVS 9.1.2', 'ASVS 9.2.1'],
  needs: ['people', 'me'],
  find: async ({ config, newcomer, ask }) => {
    const person = await newcomer()
    const own = await person.ask(config.me ?? '')
    const met = { 'the true token was accepted': isOk(own) }
    const [head, claims] = partsOf(person)
    // What is no JSON Web Token says nothing and can only be looked up.
    if (!head || !claims) return { findings: [], met }
    const unsigned = await tryUnsigned(ask, config, { head, claims })
    const end = pick(claims, 'exp')
    const endless = typeof end !== 'number' || end - Date.now() / 1_000 > WEEK_SECONDS
    const claimed = { request: own.request, row: JSON.stringify({ head, claims }) }
    const findings: Finding<Mistake>[] = [
      ...unsigned,
      ...(endless ? [{ mistake: 'a token never ends', ...claimed } as const] : []),
      ...(pick(head, 'kid') ? [] : [{ mistake: 'a token does not say which key signed it', ...claimed } as const]),
    ]
    return { findings, met }
  },
})

interface Parts {
  readonly head: object
  readonly claims: object
}

async function tryUnsigned(
  ask: Target['ask'],
  { me = '', token = '' }: GeneralConfig,
  { head, claims }: Parts,
): Promise<Finding<Mistake>[]> {
  for (const alg of ['none', 'None', 'nOnE']) {
    const forged = `${encode({ ...head, alg })}.${encode(claims)}.`
    const headers: Record<string, string> = token.startsWith('cookie.')
      ? { cookie: `${token.slice('cookie.'.length)}=${forged}` }
      : { authorization: `Bearer ${forged}` }
    const answer = await ask(me, { headers })
    if (isOk(answer)) return [shown('a token without a signature is accepted', answer, { row: `alg: ${alg}` })]
  }
  return []
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function partsOf({ token, answer }: Somebody): (object | undefined)[] {
  const parse = (part: string): object | undefined =>
    jsonOf({ ...answer, text: Buffer.from(part, 'base64url').toString() }) as object | undefined
  const parts = token.split('.')
  return parts.length === 3 ? parts.slice(0, 2).map(parse) : []
}
