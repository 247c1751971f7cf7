import { atMost, defineClaim, exactly } from '../../claim.ts'
import { lettersTo, nextToken } from '../../rig/letters.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { timed } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const ABOUT = 'A new password'
const FRESH = 'a quiet harbour in autumn'
const PEOPLE = 20
/** As many letters as one person is sent within the hour. */
const ASKS = 5
const AT_ONCE = 10
const MINUTE = 60
const PATIENCE_MS = 4_000
const changes = 'packages/platform/src/identity/password-changes.ts'
const links = 'packages/platform/src/identity/one-time-links.ts'

export const claim = defineClaim({
  id: 'IDN-10',
  says: 'A link to a new password works once, for half an hour, and only the newest; asking for one does not tell who has an account; using it ends every sign-in and opens none',
  answers: ['I1', 'N3', 'ASVS 6.4.1', 'ASVS 6.4.3', 'ASVS 6.3.8', 'ASVS 7.4.3'],
  witness: 'two web processes, the rows of PostgreSQL, libfaketime',
  needs: ['faketime'],
  tier: 'full',
  seconds: 30,
  alone: true,
  limits: {
    'answers that differ for somebody and nobody': exactly(0, 'answers'),
    'answers that waited for what is done for somebody': exactly(0, 'answers'),
    'how much oftener an answer for somebody is slower than one for nobody': atMost(0.15, 'of 0.5'),
    'uses of one link, tried ten times at once': exactly(1, 'uses'),
    'older links that worked': exactly(0, 'links'),
    'links that worked after half an hour': exactly(0, 'links'),
    'links that failed before half an hour': exactly(0, 'links'),
    'sign-ins alive after the new password': exactly(0, 'sign-ins'),
    'sign-ins opened by a link': exactly(0, 'sign-ins'),
    'tokens that the database holds': exactly(0, 'tokens'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2', ...clock.environment } })
    const asked = await askForMany(stack)
    const person = await stack.newcomer()
    const waited = await waitedFor(stack, await stack.newcomer())
    const next = () => nextToken(stack, person.email, ABOUT, () => forgot(stack, person.email))
    const signIns = [person, await stack.signIn(person), await stack.signIn(person)]
    const [older, newest] = [await next(), await next()]
    const olderWorked = await reset(stack, older)
    const kept = await tokensKept(stack, newest)
    const uses = await Promise.all(Array.from({ length: AT_ONCE }, () => reset(stack, newest)))
    const alive = await aliveOf(stack, signIns)
    const { email } = person
    const renewed = await stack.signIn({ ...person, password: FRESH })
    clock.turn(0)
    const inTime = await next()
    clock.turn(29 * MINUTE)
    const early = await reset(stack, inTime)
    const tooLate = await next()
    clock.turn((29 + 31) * MINUTE)
    const late = await reset(stack, tooLate)
    return {
      measured: {
        'answers that differ for somebody and nobody': asked.differing,
        'answers that waited for what is done for somebody': waited,
        'how much oftener an answer for somebody is slower than one for nobody': Math.abs(asked.slower - 0.5),
        'uses of one link, tried ten times at once': uses.filter(({ status }) => status === 204).length,
        'older links that worked': olderWorked.status === 204 ? 1 : 0,
        'links that worked after half an hour': late.status === 204 ? 1 : 0,
        'links that failed before half an hour': early.status === 204 ? 0 : 1,
        'sign-ins alive after the new password': alive,
        'sign-ins opened by a link': uses.filter(({ opened }) => opened).length,
        'tokens that the database holds': kept,
      },
      met: {
        'everybody who has an account was sent letters': asked.letters === PEOPLE * ASKS,
        'the new password is in force': renewed.email === email,
        'two processes served': (await stack.pids('web')).length === 2,
      },
      evidence: [
        `asked ${2 * PEOPLE * ASKS} times; an answer for somebody is the slower one in ${(asked.slower * 100).toFixed(0)} of 100 pairs`,
        `uses at once: ${uses.map(({ status }) => status).join(' ')}; after 29 min ${early.status}, after 31 min ${late.status}`,
      ],
    }
  },
  sabotages: [
    patch(
      'the answer waits for the mail to be written',
      changes,
      'forgot: async (email) => parts.background.start(() => sendReset(parts, email))',
      'forgot: (email) => sendReset(parts, email)',
    ),
    patch(
      'a link can be used by several at once',
      links,
      'used_at is null and expires_at > ${now}',
      'expires_at > ${now}',
    ),
    patch('older links stay good', links, 'await endLinks(tx, link, clock)', ''),
    patch('a link lives for a day', changes, 'const RESET_MS = 30 * MINUTE', 'const RESET_MS = 24 * 60 * MINUTE'),
    patch(
      'sign-ins go on after a new password',
      changes,
      "await revokeSessionsOf(tx, userId, 'password_changed', except)",
      "await revokeSessionsOf(tx, userId, 'password_changed', except).then((_, none: string[] = []) => tx.run(sql`update seaworthy.sessions set revoked_at = null where user_id = ${userId}`).then(() => none))",
    ),
  ],
})

const forgot = (stack: Stack, email: string): Promise<Response> =>
  fetch(`${stack.url}/api/identity/password/forgot`, jsonBody({ email }))

/** For somebody and for nobody in turn, one after the other. */
async function askForMany(stack: Stack) {
  const people: Person[] = []
  for (let i = 0; i < PEOPLE; i++) people.push(await stack.newcomer())
  const [known, unknown]: [number[], number[]] = [[], []]
  const answers = new Set<string>()
  const ask = async (email: string): Promise<number> => {
    const { value, ms } = await timed(() => forgot(stack, email))
    const names = [...value.headers.keys()].filter((name) => name !== 'date').join()
    answers.add(`${value.status} ${names} ${await value.text()}`)
    return ms
  }
  for (let round = 0; round < ASKS; round++)
    for (const [i, { email }] of people.entries()) {
      unknown.push(await ask(`nobody-${round}-${i}@example.com`))
      known.push(await ask(email))
    }
  const pairs = known.flatMap((a) => unknown.map((b): number => (a > b ? 1 : 0)))
  let letters = 0
  for (const { email } of people) letters += await lettersOf(stack, email)
  return { differing: answers.size - 1, slower: pairs.reduce((sum, one) => sum + one, 0) / pairs.length, letters }
}

/** While somebody's row is locked nothing can be done for them; the answer comes nevertheless. */
async function waitedFor(stack: Stack, { email }: Person): Promise<number> {
  const database = await stack.database()
  await database.query('begin')
  await database.query('select 1 from seaworthy.users where email = $1 for update', [email])
  const answer = await Promise.race([
    forgot(stack, email).then(({ status }) => status),
    new Promise<number>((resolve) => setTimeout(() => resolve(0), PATIENCE_MS)),
  ])
  await database.query('rollback')
  return answer === 202 ? 0 : 1
}

/** They are written a moment after the answer. */
async function lettersOf(stack: Stack, email: string): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const { length } = await lettersTo(stack, email, ABOUT)
    if (length >= ASKS) return length
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return 0
}

async function reset(stack: Stack, token: string) {
  const response = await fetch(`${stack.url}/api/identity/password/reset`, jsonBody({ token, password: FRESH }))
  const body = await response.text()
  // That the browser is one of theirs may be said, so that strangers who guess cannot keep it out: no sign-in by itself.
  const cookies = response.headers.getSetCookie().filter((cookie) => !/^device=|=;|Max-Age=0/.test(cookie))
  return { status: response.status, opened: cookies.length > 0 || body.includes('accessToken') }
}

/** In any process, a second after the change. */
async function aliveOf(stack: Stack, signIns: readonly Person[]): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const statuses = await Promise.all(
    signIns.flatMap(({ token, cookie }) => [
      ...Array.from({ length: 4 }, () =>
        fetch(`${stack.url}/api/identity/me`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } }),
      ),
      fetch(`${stack.url}/api/identity/refresh`, { method: 'POST', headers: { cookie } }),
    ]),
  )
  return statuses.filter(({ status }) => status === 200).length
}

/** Apart from the letter, which is erased when it is sent. */
async function tokensKept(stack: Stack, token: string): Promise<number> {
  const { rows } = await (await stack.database()).query<{ row: string }>(
    'select l::text as row from seaworthy.one_time_links l',
  )
  const forms = [token, Buffer.from(token, 'base64url').toString('hex'), Buffer.from(token).toString('hex')]
  return rows.filter(({ row }) => forms.some((form) => row.includes(form))).length
}
