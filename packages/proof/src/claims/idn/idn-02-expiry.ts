import { defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MINUTE = 60
const DAY = 86_400
const ACCESS = 15 * MINUTE
const REFRESH = 7 * DAY
const LEEWAY = 5

export const claim = defineClaim({
  id: 'IDN-02',
  says: 'An access token ends after fifteen minutes and an unused sign-in after seven days, neither earlier nor five seconds later',
  answers: ['I2', 'ASVS 9.2.1', 'ASVS 7.3.1', 'ASVS 7.3.2'],
  witness: 'libfaketime',
  needs: ['faketime'],
  tier: 'full',
  seconds: 5,
  limits: {
    'access tokens accepted after their time': exactly(0, 'tokens'),
    'sign-ins continued after their time': exactly(0, 'sign-ins'),
    'refused before their time': exactly(0, 'tokens'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const stack = await rig.start({ environment: clock.environment })
    const [seen, unseen, leaving] = [await stack.newcomer(), await stack.newcomer(), await stack.newcomer()]
    const me = async (person: Person): Promise<Response> => person.fetch('/api/identity/me')
    const refresh = ({ cookie }: Person): Promise<Response> =>
      fetch(`${stack.url}/api/identity/refresh`, { method: 'POST', headers: { cookie } })
    const at = async (seconds: number, ask: () => Promise<Response>): Promise<string> => {
      clock.turn(seconds)
      const response = await ask()
      const { code = '' } = (await response.json()) as { code?: string }
      return `${response.status} ${code}`.trim()
    }
    const inTime = [
      await at(0, () => me(seen)),
      await at(ACCESS - 2 * LEEWAY, () => me(seen)),
      await at(ACCESS - 2 * LEEWAY, () => me(leaving)),
      await at(REFRESH - 2 * MINUTE, () => refresh(leaving)),
    ]
    const late = [
      await at(ACCESS + LEEWAY, () => me(seen)),
      await at(ACCESS + LEEWAY, () => me(unseen)),
      await at(ACCESS + MINUTE, () => me(leaving)),
      await at(8 * DAY, () => me(seen)),
    ]
    const ended = [
      await at(REFRESH + LEEWAY, () => refresh(seen)),
      await at(8 * DAY, () => refresh(seen)),
      await at(8 * DAY, () => refresh(unseen)),
    ]
    return {
      measured: {
        'access tokens accepted after their time': late.filter((answer) => answer !== '401 token_expired').length,
        'sign-ins continued after their time': ended.filter((answer) => answer !== '401 unauthenticated').length,
        'refused before their time': inTime.filter((answer) => answer !== '200').length,
      },
      met: { "the product's clock was turned": await until('an answer of days ahead', () => isAhead(stack)) },
      evidence: [`in time: ${inTime.join(', ')}`, `late: ${late.join(', ')}`, `after seven days: ${ended.join(', ')}`],
    }
  },
  sabotages: [
    patch(
      'a token that was seen once is good for ever',
      'packages/platform/src/identity/access-tokens.ts',
      'if (found.expiresMs > clock.now()) return',
      'if (found.expiresMs > 0) return',
    ),
    patch(
      'the end of a token is not looked at',
      'packages/platform/src/identity/access-tokens.ts',
      'currentDate: new Date(clock.now()),',
      'currentDate: new Date(0),',
    ),
    patch(
      'an old sign-in continues',
      'packages/platform/src/identity/sessions.ts',
      'if (!row || row.revoked_at || row.expires_at.getTime() <= clock.now())',
      'if (!row || row.revoked_at)',
    ),
  ],
})

/** The date of its answers says what the product takes for the time. */
async function isAhead(stack: Stack): Promise<boolean> {
  const { headers } = await fetch(`${stack.url}/health/live`)
  return Date.parse(headers.get('date') ?? '') > Date.now() + REFRESH * 1_000
}
