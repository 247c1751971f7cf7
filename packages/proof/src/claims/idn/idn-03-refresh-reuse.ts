import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { patch } from '../../sabotage.ts'

const AT_ONCE = 10
const ROUNDS = 5
/** Longer than an answer that got lost may be asked for again. */
const LATE_SECONDS = 11

export const claim = defineClaim({
  id: 'IDN-03',
  says: 'Ten refreshes at once make one new token, and a used token that comes back ends the whole sign-in, on three processes',
  answers: ['I2', 'ASVS 7.2.4', 'ASVS 10.4.5'],
  witness: 'three web processes, the rows of PostgreSQL, libfaketime',
  needs: ['faketime'],
  tier: 'full',
  seconds: 8,
  limits: {
    'new tokens from ten refreshes at once': atMost(1, 'tokens'),
    'tokens alive after an older one came back': exactly(0, 'tokens'),
    'tokens alive after the one before came back late': exactly(0, 'tokens'),
    'sign-ins that the database ended for reuse': exactly(2, 'sign-ins'),
    'sign-ins ended without reuse': exactly(0, 'sign-ins'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const stack = await rig.start({ environment: { WEB_PROCESSES: '3', ...clock.environment } })
    const person = await stack.newcomer()
    const families: (string | undefined)[][] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { cookie } = await stack.signIn(person)
      families.push(await Promise.all(Array.from({ length: AT_ONCE }, () => refresh(stack, cookie))))
    }
    const { first, second, third } = await rotateTwice(stack, await stack.signIn(person))
    const guessed = await refresh(stack, third.replace(/\.[^.]*$/, '.AAAAAAAAAAAAAAAAAAAAAA'))
    const [, , survivor] = [await refresh(stack, second), guessed, await refresh(stack, third)]
    const older = await refresh(stack, first)
    const afterOlder = [
      await refresh(stack, second),
      await refresh(stack, third),
      await refresh(stack, survivor ?? third),
    ]
    const late = await rotateTwice(stack, await stack.signIn(person))
    clock.turn(LATE_SECONDS)
    const before = await refresh(stack, late.second)
    const afterLate = [await refresh(stack, late.third), await refresh(stack, late.second)]
    const { rows } = await (await stack.database()).query<{ why: string; count: number }>(
      'select revoked_why as why, count(*)::int as count from seaworthy.sessions where user_id = $1 and revoked_at is not null group by 1',
      [person.userId],
    )
    return {
      measured: {
        'new tokens from ten refreshes at once': Math.max(...families.map((family) => new Set(family).size)),
        'tokens alive after an older one came back': [older, ...afterOlder].filter(Boolean).length,
        'tokens alive after the one before came back late': [before, ...afterLate].filter(Boolean).length,
        'sign-ins that the database ended for reuse': rows.find(({ why }) => why === 'reuse')?.count ?? 0,
        'sign-ins ended without reuse':
          families.filter((family) => family.includes(undefined)).length +
          (survivor ? 0 : 1) +
          ((await isIn(person)) ? 0 : 1),
      },
      met: {
        'three processes served': (await stack.pids('web')).length === 3,
        'a guess was refused': guessed === undefined,
        'the tokens had been used': [third, late.third].every(Boolean),
      },
      evidence: [...rows.map((row) => JSON.stringify(row)), ...families.map((family) => `${new Set(family).size} new`)],
    }
  },
  sabotages: [
    patch(
      'each refresh makes a token of its own',
      'packages/platform/src/identity/sessions.ts',
      'const token = successorOf(given, secret)',
      'const token = makeRefreshToken(given.sessionId, secret)',
    ),
    patch(
      'a token that came back is refused, and no more',
      'packages/platform/src/identity/sessions.ts',
      "await revokeSession(tx, row.id, 'reuse')",
      '',
    ),
    patch(
      'the token before may come back at any time',
      'packages/platform/src/identity/sessions.ts',
      'row.previous_hash?.equals(given.hash) && clock.now() - row.rotated_at.getTime() < REPEAT_MS',
      'row.previous_hash?.equals(given.hash)',
    ),
  ],
})

/** The next cookie, or undefined when the sign-in has ended. */
async function refresh(stack: Stack, cookie: string): Promise<string | undefined> {
  const headers = { cookie, connection: 'close' }
  const response = await fetch(`${stack.url}/api/identity/refresh`, { method: 'POST', headers })
  await response.arrayBuffer()
  return response.status === 200 ? response.headers.getSetCookie()[0]?.split(';')[0] : undefined
}

async function rotateTwice(stack: Stack, { cookie: first }: Person) {
  const second = (await refresh(stack, first)) ?? ''
  return { first, second, third: (await refresh(stack, second)) ?? '' }
}

const isIn = async (person: Person): Promise<boolean> => (await person.fetch('/api/identity/me')).ok
