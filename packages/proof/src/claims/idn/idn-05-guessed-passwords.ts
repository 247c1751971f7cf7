import { atMost, defineClaim, exactly } from '../../claim.ts'
import { documentedLimits } from '../../rig/documented-limits.ts'
import { type FuzzAnswer, fuzz } from '../../rig/ffuf.ts'
import { jsonBody, PASSWORD } from '../../rig/person.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const GUESSES = 2_000
const SPRAYED = 60
const SOURCES = 50
/** Where the right password stands in the list. */
const RIGHT = 1_500
const signInPath = '/api/identity/sign-in'

export const claim = defineClaim({
  id: 'IDN-05',
  says: 'Whoever guesses passwords gets five tries from one address at whatever accounts, at most twenty at one account from fifty addresses, and no new ones by a restart, while the owner gets in on a known device',
  answers: ['I7', 'ASVS 6.1.1', 'ASVS 6.3.1', 'ASVS 6.3.5', 'ASVS 6.3.8'],
  witness: 'ffuf with two thousand passwords',
  needs: ['ffuf'],
  tier: 'full',
  seconds: 36,
  limits: {
    'guesses looked at from one address': atMost(5, 'guesses'),
    'guesses at one account from fifty addresses': atMost(20, 'guesses'),
    'guesses at once after a restart': atMost(2, 'guesses'),
    'strangers who got in, with the right password too': exactly(0, 'answers'),
    'times that the owner was kept out on a known device': exactly(0, 'of 2'),
    'answers that tell whether an address has an account': exactly(0, 'answers'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { ...documentedLimits, TRUSTED_PROXIES: '1' } })
    const owner = await openOwner(stack)
    const alone = await attack(rig, stack, { count: SPRAYED, sources: 1, from: 1 })
    const many = await attack(rig, stack, { email: owner.email, count: GUESSES, sources: SOURCES, from: 10 })
    const burst = await guess(stack, owner.email, 220)
    const [unknown, known] = [await enter(stack, owner.email, 251), await enter(stack, owner.email, 252, owner.device)]
    await stack.signal('supervisor', 'SIGTERM')
    await stack.exited
    await stack.restart()
    const again = await attack(rig, stack, { email: owner.email, count: 500, sources: SOURCES, from: 100 })
    const later = await enter(stack, owner.email, 253, owner.device)
    const told = await compare(stack, owner.other)
    const everything = [...alone, ...many, ...again]
    return {
      measured: {
        'guesses looked at from one address': Math.max(...lookedAtBySource(everything)),
        'guesses at one account from fifty addresses':
          lookedAt(many).length + burst.filter(isLookedAt).length + lookedAt(again).length,
        'guesses at once after a restart': lookedAt(again).length,
        'strangers who got in, with the right password too':
          everything.filter((answer) => answer.status === 200).length + (unknown === 200 ? 1 : 0),
        'times that the owner was kept out on a known device': [known, later].filter((status) => status !== 200).length,
        'answers that tell whether an address has an account': told.different,
      },
      met: {
        'the passwords were tried, the right one too':
          many.length > 0.9 * GUESSES && many.some(({ words }) => words.PASSWORD === PASSWORD),
        'many accounts were tried from one address': alone.length > 0.9 * SPRAYED,
        'guesses were looked at': lookedAt(many).length >= 5 && told.lookedAt >= 5,
      },
      evidence: [
        `one address: ${lookedAt(alone).length} of ${alone.length}; fifty: ${lookedAt(many).length} of ${many.length}; after the restart: ${lookedAt(again).length} of ${again.length}`,
      ],
    }
  },
  sabotages: [
    patch(
      'an account is not counted',
      'packages/platform/src/limits/guard.ts',
      "await database.withDuty('identity', (tx) => take(tx, bucket, clock.now()))",
      '',
    ),
    patch(
      'an address is not counted',
      'packages/platform/src/http/stages/limit.ts',
      'if (!decision.allowed) refuse(exchange, limit, decision)',
      '',
    ),
    patch(
      'tries are forgotten at a restart',
      'packages/platform/src/limits/guard.ts',
      "update('guard')",
      'update(`guard ${process.pid}`)',
    ),
    patch(
      'a known device is like any other',
      'packages/platform/src/limits/guard.ts',
      "guess.kind === 'password' && device !== undefined && knows(device, subject, key)",
      'false',
    ),
  ],
})

const source = (network: number): string => `203.0.113.${network}`
/** The password was looked at: right or wrong. */
const lookedAt = (answers: readonly FuzzAnswer[]): readonly FuzzAnswer[] =>
  answers.filter(({ status }) => status === 401 || status === 200)

function lookedAtBySource(answers: readonly FuzzAnswer[]): readonly number[] {
  const counts = new Map<string, number>()
  for (const { words } of lookedAt(answers)) counts.set(words.SOURCE ?? '', (counts.get(words.SOURCE ?? '') ?? 0) + 1)
  return [...counts.values()]
}

interface Attack {
  /** Each guess at another one when left out. */
  readonly email?: string
  readonly count: number
  readonly sources: number
  /** The first source. */
  readonly from: number
}

function attack(rig: Rig, stack: Stack, { email, count, sources, from }: Attack): Promise<readonly FuzzAnswer[]> {
  const passwords = Array.from({ length: count }, (_, i) => (i === RIGHT ? PASSWORD : `guess ${i}`))
  return fuzz(rig, {
    url: `${stack.url}${signInPath}`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': 'SOURCE' },
    body: '{"email":"EMAIL","password":"PASSWORD"}',
    words: {
      PASSWORD: passwords,
      SOURCE: passwords.map((_, i) => source(from + (i % sources))),
      EMAIL: passwords.map((_, i) => email ?? `person-${i}@example.com`),
    },
  })
}

const send = (stack: Stack, path: string, email: string, password: string, network: number, cookie = '') =>
  fetch(`${stack.url}${path}`, jsonBody({ email, password }, { 'x-forwarded-for': source(network), cookie }))

/** Two accounts, and the cookie of the browser in which one of them was made. */
async function openOwner(stack: Stack) {
  const [email, other] = ['owner@example.com', 'other@example.com']
  const made = await send(stack, '/api/identity/sign-up', email, PASSWORD, 241)
  await send(stack, '/api/identity/sign-up', other, PASSWORD, 242)
  const device =
    made.headers
      .getSetCookie()
      .find((cookie) => cookie.startsWith('device='))
      ?.split(';')[0] ?? ''
  return { email, other, device }
}

const enter = async (stack: Stack, email: string, network: number, cookie?: string): Promise<number> =>
  (await send(stack, signInPath, email, PASSWORD, network, cookie)).status

/** Eight guesses, one after the other, each from another address. */
async function guess(stack: Stack, email: string, from: number): Promise<string[]> {
  const answers: string[] = []
  for (let i = 0; i < 8; i++) {
    const response = await send(stack, signInPath, email, 'wrong', from + i)
    const { code, detail } = (await response.json()) as { code: string; detail?: string }
    answers.push(`${response.status} ${code} ${detail?.replace(/\d+/g, 'n')}`)
  }
  return answers
}

const isLookedAt = (answer: string): boolean => answer.startsWith('401')

/** The same guesses at an account and at an address that has none. */
async function compare(stack: Stack, email: string) {
  const [real, nobody] = [await guess(stack, email, 200), await guess(stack, 'nobody@example.com', 200)]
  return {
    different: real.filter((answer, i) => answer !== nobody[i]).length,
    lookedAt: real.filter(isLookedAt).length,
  }
}
