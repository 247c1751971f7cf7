import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { askUntilServed } from '../../rig/asked-again.ts'
import { jsonBody, PASSWORD, type Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { mainThreadMs, otherThreadsMs } from '../../rig/thread-time.ts'
import { quantile } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const TOP = 3_000
const LENGTH_MIN = 8
const GUESSES = 16
/** Enough to know; each password that is taken is hashed, which is dear. */
const TAKEN_MAX = 10
const CHANGES = 10
const AT_ONCE = 10
/** Wrong passwords for one account: after five, the account makes whoever guesses wait and looks at none. */
const WRONG_EACH = 4

export const claim = defineClaim({
  id: 'IDN-06',
  says: 'Passwords are stored as argon2id only, a guess costs 50 to 250 ms of a core off the event loop, none is cut or bent, and the 3,000 that leaked most are refused',
  answers: [
    'I1',
    'I7',
    'ASVS 6.2.1',
    'ASVS 6.2.4',
    'ASVS 6.2.5',
    'ASVS 6.2.8',
    'ASVS 6.2.9',
    'ASVS 6.2.11',
    'ASVS 6.2.12',
    'ASVS 11.4.2',
  ],
  witness: "the rows of PostgreSQL, the kernel's count of thread time, Mozilla's list of OWASP SecLists",
  needs: ['passwordlist'],
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'stored passwords that are not argon2id at OWASP parameters': exactly(0, 'passwords'),
    'passwords readable in the dump': exactly(0, 'passwords'),
    'core time of one guess': { unit: 'ms', atLeast: 50, atMost: 250 },
    'event loop time of one guess': atMost(20, 'ms'),
    'passwords of the list that were taken': exactly(0, 'passwords'),
    'names of the product and the person that were taken': exactly(0, 'passwords'),
    'good passwords that were refused': exactly(0, 'passwords'),
    'altered passwords that signed in': exactly(0, 'passwords'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const cost = await guess(stack, person)
    const leaked = topPasswords(rig.program('passwordlist'))
    const takenAtSignUp = await takenOf(stack, leaked)
    const takenByChange = await takenByChangeOf(
      person,
      leaked.filter((_, i) => i % (TOP / CHANGES) === 0),
    )
    const own = ['seaworthy1', 'Seaworthy2026!', 'cosnap-cosnap', person.email, person.email.split('@')[0] ?? '']
    const takenOwn = await takenByChangeOf(person, own)
    const good = [
      'lowercase only words',
      '71034958201',
      'ñandú 夜の海 🛶',
      `${'a long way '.repeat(11)}home`,
      'correct horse battery staple',
    ]
    const refused = await refusedOf(stack, good)
    const altered = await alteredThatSignIn(stack)
    const { rows } = await (await stack.database()).query<{ hash: string; all: string }>(
      'select password_hash as hash, u::text as all from seaworthy.users u',
    )
    return {
      measured: {
        'stored passwords that are not argon2id at OWASP parameters': rows.filter(({ hash }) => !isStrong(hash)).length,
        'passwords readable in the dump': rows.filter(({ all }) => formsOf(PASSWORD).some((form) => all.includes(form)))
          .length,
        'core time of one guess': cost.coreMs,
        'event loop time of one guess': cost.loopMs,
        'passwords of the list that were taken': takenAtSignUp.length + takenByChange.length,
        'names of the product and the person that were taken': takenOwn.length,
        'good passwords that were refused': refused.length,
        'altered passwords that signed in': altered.signedIn.length,
      },
      met: {
        'passwords are stored': rows.length >= 3,
        'the list is long enough': leaked.length === TOP,
        'the whole password signed in': altered.whole,
      },
      evidence: [
        `stored like ${rows[0]?.hash.split('$').slice(0, 4).join('$')}`,
        ...[...takenAtSignUp, ...takenByChange, ...takenOwn].map((password) => `taken: ${password}`),
        ...refused.map((password) => `refused: ${password}`),
        ...altered.signedIn,
      ],
    }
  },
  sabotages: [
    patch('a guess costs a quarter', 'packages/platform/src/identity/drivers/argon2.ts', 'timeCost: 8', 'timeCost: 2'),
    patch(
      'only 72 bytes count, as with bcrypt',
      'packages/platform/src/identity/drivers/argon2.ts',
      `export const hashText = (text: string): Promise<string> => hash(text, parameters)
export const verifyText = (hashed: string, text: string): Promise<boolean> => verify(hashed, text)`,
      `export const hashText = (text: string): Promise<string> => hash(Buffer.from(text).subarray(0, 72), parameters)
export const verifyText = (hashed: string, text: string): Promise<boolean> => verify(hashed, Buffer.from(text).subarray(0, 72))`,
    ),
    patch(
      'the list is not looked at',
      'packages/platform/src/identity/password-rules.ts',
      'if (common.has(password))',
      'if (common.size === 0)',
    ),
    patch(
      'patterns are not looked for',
      'packages/platform/src/identity/password-rules.ts',
      'if (isRepeated(password) ||',
      'if (password === "" ||',
    ),
    patch(
      'the name of the product is as good as any',
      'packages/platform/src/identity/password-rules.ts',
      'if (isMostly(password, words))',
      'if (isMostly(password, []))',
    ),
  ],
})

/** OWASP's choices for argon2id: memory in KiB, and the fewest passes with it. */
const owasp = [
  [47_104, 1],
  [19_456, 2],
  [12_288, 3],
  [9_216, 4],
  [7_168, 5],
] as const

function isStrong(hash: string): boolean {
  const [, memory = 0, passes = 0] = (
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$[\w+/]{22,}\$[\w+/]{43,}$/.exec(hash) ?? []
  ).map(Number)
  return owasp.some(([leastMemory, leastPasses]) => memory >= leastMemory && passes >= leastPasses)
}

const formsOf = (password: string): string[] =>
  (['utf8', 'hex', 'base64'] as const).map((form) => Buffer.from(password).toString(form))

/** The most frequent first. */
function topPasswords(folder: string): string[] {
  const list = readFileSync(join(folder, 'source_data', '10_million_password_list_top_1M.txt'), 'utf8')
  return list
    .split(/\r?\n/)
    .filter((password) => [...password].length >= LENGTH_MIN)
    .slice(0, TOP)
}

/** By wrong passwords for somebody and for nobody, one after the other. */
async function guess(stack: Stack, { email }: Person) {
  const [pid = 0] = await stack.pids('web')
  const cores: number[] = []
  const loops: number[] = []
  for (let i = 0; i < GUESSES; i++) {
    const [core, loop] = [otherThreadsMs(pid), mainThreadMs(pid)]
    const address = i % (GUESSES / WRONG_EACH) ? `nobody-${i}@example.com` : email
    if (await isRight(stack, address, `guess ${i}`)) throw new Error('a guess was right')
    cores.push(otherThreadsMs(pid) - core)
    loops.push(mainThreadMs(pid) - loop)
  }
  return { coreMs: quantile(cores, 0.5), loopMs: quantile(loops, 0.5) }
}

const signUpStatus = async (stack: Stack, password: string): Promise<string> => {
  const email = `p${Math.random().toString(36).slice(2)}@example.net`
  const response = await askUntilServed(() => fetch(`${stack.url}/api/identity/sign-up`, jsonBody({ email, password })))
  const { code = 'taken' } = (await response.json()) as { code?: string }
  return code
}

async function takenOf(stack: Stack, passwords: readonly string[]): Promise<string[]> {
  const taken: string[] = []
  for (let at = 0; at < passwords.length && taken.length < TAKEN_MAX; at += AT_ONCE) {
    const some = passwords.slice(at, at + AT_ONCE)
    const answers = await Promise.all(some.map((password) => signUpStatus(stack, password)))
    const named = some.map((password, i) => `${password} (${answers[i]})`)
    taken.push(...named.filter((_, i) => answers[i] !== 'password_too_common'))
  }
  return taken
}

async function refusedOf(stack: Stack, passwords: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(passwords.map((password) => signUpStatus(stack, password)))
  return passwords.filter((_, i) => answers[i] !== 'taken')
}

async function takenByChangeOf(person: Person, passwords: readonly string[]): Promise<string[]> {
  const taken: string[] = []
  for (const password of passwords) {
    const body = { current: person.password, password }
    const response = await askUntilServed(() => person.fetch('/api/identity/password/change', jsonBody(body)))
    if (response.status === 204) return [...taken, password]
    const { code } = (await response.json()) as { code: string }
    if (code !== 'password_too_common') taken.push(`${password} (${code})`)
  }
  return taken
}

/** A password of 128 characters, with what careless services lose of it. */
async function alteredThatSignIn(stack: Stack) {
  const password = `${'Every boat has 1 name; '.repeat(5)}and a harbour`
  const forms = [72, 71, 127, 64, 100].map((length) => password.slice(0, length))
  forms.push(
    `${password.slice(0, 72)}something else at its end`,
    password.toLowerCase(),
    password.trim().replaceAll(' ', ''),
    `${password.slice(0, -1)}R`,
  )
  const signedIn: string[] = []
  let whole = password.length === 128
  for (let at = 0; at < forms.length; at += WRONG_EACH) {
    const email = `whole-${at}-${Date.now()}@example.com`
    await askUntilServed(() => fetch(`${stack.url}/api/identity/sign-up`, jsonBody({ email, password })))
    for (const form of forms.slice(at, at + WRONG_EACH)) if (await isRight(stack, email, form)) signedIn.push(form)
    whole &&= await isRight(stack, email, password)
  }
  return { signedIn, whole }
}

/** Throws for an answer that did not look at the password: it says nothing about it. */
async function isRight(stack: Stack, email: string, password: string): Promise<boolean> {
  const { status } = await askUntilServed(() =>
    fetch(`${stack.url}/api/identity/sign-in`, jsonBody({ email, password })),
  )
  if (status !== 200 && status !== 401) throw new Error(`a password was not looked at: ${status}`)
  return status === 200
}
