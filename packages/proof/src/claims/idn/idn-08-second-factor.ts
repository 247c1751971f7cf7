import { atMost, defineClaim, exactly } from '../../claim.ts'
import { askUntilServed } from '../../rig/asked-again.ts'
import { codeOf, STEP_SECONDS } from '../../rig/authenticator.ts'
import { filesWith } from '../../rig/files-with.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { patch } from '../../sabotage.ts'

/** Half minutes beside now, each tried ten half minutes after the one before; wrong ones between right ones. */
const beside = [-2, -1, 2, 0, -10, 1, 3]
const PAUSE = 10
const QUARTER_HOUR = 30
const AT_ONCE = 10
const SIGN_INS = 20
const RIGHT = '200'
const WRONG = '401 wrong_code'
const totp = 'packages/platform/src/identity/totp.ts'

export const claim = defineClaim({
  id: 'IDN-08',
  says: 'A code of the authenticator app signs in once, in its own half minute or the one beside it; a recovery code signs in once; whoever guesses has five tries in a quarter of an hour, which do not keep the owner out who has a recovery code',
  answers: ['N3', 'ASVS 6.4.4', 'ASVS 6.5.1', 'ASVS 6.5.2', 'ASVS 6.5.5', 'ASVS 6.6.3', 'ASVS 6.3.1', 'ASVS 14.2.4'],
  witness:
    'oathtool makes the codes, libfaketime the time; two web processes; grep over every file of the installation',
  needs: ['oathtool', 'faketime'],
  tier: 'full',
  seconds: 25,
  limits: {
    'codes that signed in a second time': exactly(0, 'codes'),
    'sign-ins by one code, tried ten times at once': exactly(1, 'sign-ins'),
    'codes from farther away that signed in': exactly(0, 'codes'),
    'codes of now and beside it that were refused': exactly(0, 'codes'),
    'wrong codes looked at in a quarter of an hour': atMost(5, 'codes'),
    'right codes taken after that': exactly(0, 'codes'),
    'wrong recovery codes looked at for one sign-in': atMost(5, 'codes'),
    'sign-ins by one recovery code, tried ten times at once': exactly(1, 'sign-ins'),
    'recovery codes that signed in a second time': exactly(0, 'codes'),
    'times that the owner was kept out': exactly(0, 'times'),
    'files with the secret or a recovery code in them': exactly(0, 'files'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const environment = { WEB_PROCESSES: '2', TRUSTED_PROXIES: '1', ...clock.environment }
    const stack = await rig.start({ environment })
    let step = Math.ceil(Date.now() / 1_000 / STEP_SECONDS)
    /** To the beginning of a half minute, so that what follows happens within it. */
    const wait = (steps: number): number => {
      step += steps
      clock.turn(Math.ceil(step * STEP_SECONDS + 1 - Date.now() / 1_000))
      return step
    }
    const rounds: Rounds = { rig, stack, wait }
    const [owner, another, guessed] = [await enrol(rounds), await enrol(rounds), await enrol(rounds)]
    const window = await tryBeside(rounds, owner)
    const replays = await replay(rounds, owner, another)
    const guessing = await guess(rounds, guessed)
    const recovery = await recover(rounds, owner)
    const secrets = [owner, another, guessed].flatMap(({ secret, codes }) => [secret, ...codes])
    const found = await search(stack, secrets)
    const inClear = await search(stack, [owner.person.email])
    return {
      measured: {
        'codes that signed in a second time': replays.again.filter((answer) => answer === RIGHT).length,
        'sign-ins by one code, tried ten times at once': replays.atOnce,
        'codes from farther away that signed in': window.far.filter((answer) => answer !== WRONG).length,
        'codes of now and beside it that were refused': window.near.filter((answer) => answer !== RIGHT).length,
        'wrong codes looked at in a quarter of an hour': guessing.lookedAt,
        'right codes taken after that': guessing.right === RIGHT ? 1 : 0,
        'wrong recovery codes looked at for one sign-in': recovery.lookedAt,
        'sign-ins by one recovery code, tried ten times at once': recovery.atOnce,
        'recovery codes that signed in a second time': recovery.again.filter((answer) => answer === RIGHT).length,
        'times that the owner was kept out': [guessing.recovered, guessing.later, ...recovery.first].filter(
          (answer) => answer !== RIGHT,
        ).length,
        'files with the secret or a recovery code in them': found.length,
      },
      met: {
        'codes were guessed': guessing.asked === SIGN_INS * 5 && guessing.lookedAt > 0,
        'codes came a second time': replays.first.every((answer) => answer === RIGHT) && replays.again.length >= 4,
        'there were ten recovery codes': owner.codes.length === 10 && recovery.lookedAt > 0,
        'the same search finds an address, which is kept in clear': inClear.some((file) => file.includes('/base/')),
        'two processes served': (await stack.pids('web')).length === 2,
      },
      evidence: [
        `beside now: ${beside.map((by, i) => `${by}: ${window.all[i]}`).join(', ')}`,
        `again: ${replays.again.join(', ')}`,
        `guessed ${guessing.asked} times, ${guessing.lookedAt} looked at; then the right one: ${guessing.right}; a recovery code: ${guessing.recovered}; later: ${guessing.later}`,
        ...found,
      ],
    }
  },
  sabotages: [
    patch(
      'a code that was used is good again',
      totp,
      'if (step === undefined || step <= row.last_step) {',
      'if (step === undefined) {',
    ),
    patch(
      'codes of five minutes are good',
      'packages/platform/src/identity/drivers/otpauth.ts',
      'const WINDOW = 1',
      'const WINDOW = 10',
    ),
    patch('wrong codes are counted for each sign-in only', totp, 'if (recent >= FAILURES_MAX)', 'if (recent < 0)'),
    patch(
      'a recovery code is good again',
      'packages/platform/src/identity/recovery-codes.ts',
      'and hash = ${hashOf(code, userId, secret)} and used_at is null`',
      'and hash = ${hashOf(code, userId, secret)}`',
    ),
    patch(
      'a sign-in may be tried for ever',
      'packages/platform/src/identity/second-factor.ts',
      'const TRIES_MAX = 5',
      'const TRIES_MAX = 5_000',
    ),
    patch(
      'recovery codes are kept as they are',
      'packages/platform/src/identity/recovery-codes.ts',
      "createHmac('sha256', secret.reveal()).update(`recovery code\\0${userId}\\0${code}`).digest()",
      'Buffer.from(code)',
    ),
  ],
})

interface Rounds {
  readonly rig: Rig
  readonly stack: Stack
  readonly wait: (steps: number) => number
}

interface Enrolled {
  readonly person: Person
  readonly secret: string
  readonly codes: readonly string[]
  /** That set the app up. */
  readonly firstCode: string
}

async function enrol({ rig, stack, wait }: Rounds): Promise<Enrolled> {
  const person = await stack.newcomer()
  const step = wait(1)
  const { secret } = await person.json<{ secret: string }>('/api/identity/totp/enrol', { method: 'POST' })
  const firstCode = await codeOf(rig, secret, step)
  const { recoveryCodes: codes } = await person.json<{ recoveryCodes: string[] }>(
    '/api/identity/totp/confirm',
    jsonBody({ code: firstCode }),
  )
  return { person, secret, codes, firstCode }
}

let sources = 0
/** Each time from another address, and by whichever process. */
const post = (stack: Stack, path: string, body: unknown): Promise<Response> => {
  const from = ++sources
  const address = `198.${18 + (from >> 15)}.${(from >> 7) & 255}.${(from & 127) + 1}`
  const init = jsonBody(body, { 'x-forwarded-for': address, connection: 'close' })
  return askUntilServed(() => fetch(`${stack.url}${path}`, init))
}

async function ticketOf(stack: Stack, { person: { email, password } }: Enrolled): Promise<string> {
  const response = await post(stack, '/api/identity/sign-in', { email, password })
  if (response.status !== 202) throw new Error(`signing in answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { ticket: string }).ticket
}

async function give(stack: Stack, ticket: string, code: string): Promise<string> {
  const response = await post(stack, '/api/identity/sign-in/code', { ticket, code })
  const { code: problem = '' } = (await response.json()) as { code?: string }
  return `${response.status} ${problem}`.trim()
}

const enter = async (stack: Stack, who: Enrolled, code: string): Promise<string> =>
  give(stack, await ticketOf(stack, who), code)

async function enterAtOnce(stack: Stack, who: Enrolled, code: string): Promise<number> {
  const tickets: string[] = []
  for (let i = 0; i < AT_ONCE; i++) tickets.push(await ticketOf(stack, who))
  const answers = await Promise.all(tickets.map((ticket) => give(stack, ticket, code)))
  return answers.filter((answer) => answer === RIGHT).length
}

async function tryBeside({ rig, stack, wait }: Rounds, owner: Enrolled) {
  const all: string[] = []
  for (const by of beside) {
    const now = wait(PAUSE)
    all.push(await enter(stack, owner, await codeOf(rig, owner.secret, now + by)))
  }
  const of = (isNear: boolean) => all.filter((_, i) => Math.abs(beside[i] ?? 0) <= 1 === isNear)
  return { all, near: of(true), far: of(false) }
}

/** The code that set the app up, one that was used a moment ago, the same half a minute later, and one before a used one. */
async function replay({ rig, stack, wait }: Rounds, owner: Enrolled, another: Enrolled) {
  const before = await enter(stack, owner, owner.firstCode)
  const now = wait(PAUSE)
  const [code, earlier] = [await codeOf(rig, owner.secret, now), await codeOf(rig, owner.secret, now - 1)]
  const first = await enter(stack, owner, code)
  const again = [before, await enter(stack, owner, code), await enter(stack, owner, earlier)]
  wait(1)
  again.push(await enter(stack, owner, code))
  const fresh = await enter(stack, owner, await codeOf(rig, owner.secret, now + 1))
  return {
    first: [first, fresh],
    again,
    atOnce: await enterAtOnce(stack, another, await codeOf(rig, another.secret, wait(PAUSE))),
  }
}

/** By somebody who has the password: as many sign-ins as they like, five codes for each, several at once. */
async function guess({ rig, stack, wait }: Rounds, owner: Enrolled) {
  const now = wait(PAUSE)
  const near = new Set(await Promise.all([-1, 0, 1, 2].map((by) => codeOf(rig, owner.secret, now + by))))
  const wrongCode = (): string => {
    const code = String(Math.floor(rig.random() * 1_000_000)).padStart(6, '0')
    return near.has(code) ? wrongCode() : code
  }
  const answers: string[] = []
  for (let i = 0; i < SIGN_INS; i++) {
    const ticket = await ticketOf(stack, owner)
    answers.push(...(await Promise.all(Array.from({ length: 5 }, () => give(stack, ticket, wrongCode())))))
  }
  const right = await enter(stack, owner, await codeOf(rig, owner.secret, now))
  const recovered = await enter(stack, owner, owner.codes[0] ?? '')
  const later = await enter(stack, owner, await codeOf(rig, owner.secret, wait(QUARTER_HOUR + 2)))
  const lookedAt = answers.filter((answer) => answer === WRONG).length
  return { asked: answers.length, lookedAt, right, recovered, later }
}

/** The phone is lost: each of the ten codes, twice. */
async function recover({ rig, stack, wait }: Rounds, owner: Enrolled) {
  wait(QUARTER_HOUR)
  const [one = '', ...others] = owner.codes
  const atOnce = await enterAtOnce(stack, owner, one)
  const [first, again]: [string[], string[]] = [[], []]
  for (const code of others) {
    first.push(await enter(stack, owner, code))
    again.push(await enter(stack, owner, code.toLowerCase()))
  }
  const ticket = await ticketOf(stack, owner)
  const made = (): string =>
    one.replace(/[A-Z2-9]/g, () => 'ABCDEFGHJKLMNPQRSTUVWXYZ'[Math.floor(rig.random() * 24)] ?? 'A')
  const guesses: string[] = []
  for (let i = 0; i < 2 * AT_ONCE; i++) guesses.push(await give(stack, ticket, made()))
  return { atOnce, first, again, lookedAt: guesses.filter((answer) => answer === WRONG).length }
}

async function search(stack: Stack, secrets: readonly string[]): Promise<readonly string[]> {
  await (await stack.database()).query('checkpoint')
  const forms = new Set(secrets.flatMap((text) => [text, text.replaceAll('-', '')]))
  const found = await filesWith(stack.dataDirectory, ...forms)
  return found.map((file) => file.slice(stack.dataDirectory.length))
}
