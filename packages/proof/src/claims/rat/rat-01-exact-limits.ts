import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { rateStateOf, tellsTruth } from '../../rig/rate-state.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { patch } from '../../sabotage.ts'

const WINDOW_SECONDS = 900
const NOBODY = '01890000-0000-7000-8000-000000000000'

/** A class of limits as it is documented, and a request that it counts. */
interface Class {
  readonly name: string
  readonly max: number
  ask(person: Person): Promise<Response>
}

/** Whoever asks, behind the proxy that counts as trusted. */
const from = (network: number): Record<string, string> => ({ 'x-forwarded-for': `203.0.113.${network}` })
const noCredentials = jsonBody({ email: 'nobody@example.com', password: 'not the one' }, from(1))

/** The thousand readings also fill what one network may send in all. */
const classes: readonly Class[] = [
  {
    name: 'cosnap.general',
    max: 100,
    ask: (p) => p.fetch(`/api/cosnap/photos/${NOBODY}`, { method: 'DELETE', headers: from(2) }),
  },
  {
    name: 'cosnap.upload',
    max: 20,
    ask: (p) => p.fetch('/api/cosnap/photos', { method: 'POST', body: 'no photo', headers: from(2) }),
  },
  { name: 'cosnap.effects', max: 50, ask: (p) => p.fetch('/api/cosnap/runs', jsonBody({}, from(2))) },
  {
    name: 'cosnap.previews',
    max: 600,
    ask: (p) => p.fetch(`/api/cosnap/photos/${NOBODY}/previews`, { headers: from(3) }),
  },
  { name: 'identity.auth', max: 5, ask: (p) => p.fetch('/api/identity/sign-in', noCredentials) },
  { name: 'cosnap.reads', max: 1_000, ask: (p) => p.fetch('/api/cosnap/photos?limit=1', { headers: from(4) }) },
]
const whole: Class = {
  name: 'platform.network',
  max: 1_000,
  ask: (p) => p.fetch('/api/cosnap/photos?limit=1', { headers: from(4) }),
}
const elsewhere: Class = {
  name: 'cosnap.reads',
  max: 1_000,
  ask: (p) => p.fetch('/api/cosnap/photos?limit=1', { headers: from(5) }),
}

export const claim = defineClaim({
  id: 'RAT-01',
  says: 'Each limit of Cosnap lets through exactly what is documented, tells the truth in its headers, and starts clean after fifteen minutes',
  answers: ['R3', 'R4', 'I7', 'ASVS 2.4.1', 'ASVS 6.3.1'],
  witness: 'counting answers, RateLimit headers of the draft, libfaketime',
  needs: ['faketime'],
  tier: 'full',
  seconds: 12,
  limits: {
    'requests let through too many or too few': exactly(0, 'requests'),
    'headers that differ from the state': exactly(0, 'answers'),
    'refusals without name, Retry-After or problem': exactly(0, 'answers'),
    'limits that start clean after the window': exactly(classes.length, 'limits'),
    'answers compared': atLeast(1_700, 'answers'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const stack = await rig.start({ environment: { ...documented, ...clock.environment } })
    const person = await stack.newcomer()
    const counts: Count[] = []
    for (const each of classes) counts.push(await count(each, person, each.name === 'cosnap.reads' ? whole : each))
    counts.push(await count({ ...elsewhere, max: 0 }, person, elsewhere))
    clock.turn(WINDOW_SECONDS + 1)
    const clean: boolean[] = []
    for (const each of classes) clean.push(await startsClean(each, person))
    const sum = (part: 'off' | 'untrue' | 'badRefusals' | 'compared'): number =>
      counts.reduce((total, each) => total + each[part], 0)
    return {
      measured: {
        'requests let through too many or too few': sum('off'),
        'headers that differ from the state': sum('untrue'),
        'refusals without name, Retry-After or problem': sum('badRefusals'),
        'limits that start clean after the window': clean.filter(Boolean).length,
        'answers compared': sum('compared'),
      },
      met: { 'every limit was reached': counts.every((each) => each.refused > 0) },
      evidence: counts.map((each) => JSON.stringify(each)),
    }
  },
  sabotages: [
    patch(
      'one more than the limit is let through',
      'packages/platform/src/limits/rate.ts',
      'const allowed = window.used < max',
      'const allowed = window.used <= max',
    ),
    patch(
      'the header promises one more than is left',
      'packages/platform/src/limits/rate.ts',
      'remaining: max - window.used, resetSeconds }',
      'remaining: max - window.used + 1, resetSeconds }',
    ),
    patch(
      'a window lasts twice as long as it says',
      'packages/platform/src/limits/rate.ts',
      'now - window.started >= windowMs',
      'now - window.started >= 2 * windowMs',
    ),
  ],
})

/** The limits that the product has when nobody sets any. */
const documented = {
  RATE_LIMIT_MAX: undefined,
  AUTH_RATE_LIMIT_MAX: undefined,
  UPLOAD_RATE_LIMIT_MAX: undefined,
  EFFECTS_RATE_LIMIT_MAX: undefined,
  TRUSTED_PROXIES: '1',
  JWT_ACCESS_EXPIRY: '1d',
}

interface Count {
  readonly name: string
  passed: number
  refused: number
  /** Answers on the wrong side of the limit. */
  off: number
  untrue: number
  badRefusals: number
  compared: number
}

/** Asks until the limit and three times more, and compares each answer with what must be left. */
async function count({ name, max, ask }: Class, person: Person, refusing: Class): Promise<Count> {
  const result: Count = { name: refusing.name, passed: 0, refused: 0, off: 0, untrue: 0, badRefusals: 0, compared: 0 }
  for (let asked = 1; asked <= max + 3; asked++) {
    const response = await ask(person)
    const body = await response.text()
    const state = rateStateOf(response.headers)
    const passes = response.status !== 429
    if (passes) result.passed++
    else result.refused++
    if (passes !== asked <= max) result.off++
    result.compared++
    const expected = {
      name: passes ? name : refusing.name,
      left: Math.max(0, max - asked),
      max: passes ? max : refusing.max,
      window: WINDOW_SECONDS,
    }
    if (!tellsTruth(state, expected)) result.untrue++
    const isClear =
      response.headers.get('retry-after') === String(state.reset) && body.includes('"code":"too_many_requests"')
    if (!passes && !isClear) result.badRefusals++
  }
  return result
}

async function startsClean({ name, max, ask }: Class, person: Person): Promise<boolean> {
  const response = await ask(person)
  await response.arrayBuffer()
  return (
    response.status !== 429 &&
    tellsTruth(rateStateOf(response.headers), { name, max, left: max - 1, window: WINDOW_SECONDS })
  )
}
