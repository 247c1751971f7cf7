import { defineClaim, exactly } from '../../claim.ts'
import { askPinUntilServed } from '../../rig/asked-again.ts'
import { type Pinned, pinEach } from '../../rig/pinned.ts'
import type { Rig } from '../../rig/rig.ts'
import { type KeptSignIn, keepSignIn } from '../../rig/sign-ins.ts'
import {
  forgeToken,
  issuedAt,
  keyIdOf,
  publishedKeys,
  type SigningKeyRow,
  signingKeysOf,
  stealKey,
  unverified,
} from '../../rig/signing-keys.ts'
import type { Stack } from '../../rig/stack.ts'
import { startTokenLoad } from '../../rig/token-load.ts'
import { makeTurnableClock, type TurnableClock } from '../../rig/turnable-clock.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const HOUR = 3_600
const ACCESS = 900
/** A key signs when it is a minute old; the one before it is needed until its last token has ended, and a minute more. */
const SIGNS = 60
const OVERLAP = SIGNS + ACCESS + 60
const YEAR = 365 * 86_400
const SIGN_INS = 12
const MORE = 200
/** Seconds: time enough to renew and to ask, on a machine that is busy. */
const BEFORE = 20
const PATIENCE_MS = 45_000
const me = '/api/identity/me'
const keysFile = 'packages/platform/src/identity/signing-keys.ts'

export const claim = defineClaim({
  id: 'IDN-09',
  says: 'The key that signs access tokens is replaced while requests come in and no valid one is refused; tokens of the old key are taken until the last of them has ended, and afterwards nothing is that it signs or has signed, even by whoever stole it',
  answers: ['I1', 'I2', 'ASVS 9.1.1', 'ASVS 9.1.3', 'ASVS 11.2.2', 'ASVS 11.6.1'],
  witness: 'hey sends requests all the while, jose verifies with the published keys, libfaketime, two web processes',
  needs: ['hey', 'faketime'],
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'valid requests that were refused': exactly(0, 'requests'),
    'valid tokens refused at their first use': exactly(0, 'tokens'),
    'tokens that the published keys do not verify': exactly(0, 'tokens'),
    'tokens signed by a key that not every process knows yet': exactly(0, 'tokens'),
    'tokens of the stolen key refused during the overlap': exactly(0, 'tokens'),
    'tokens of the old key taken after the overlap': exactly(0, 'tokens'),
    'keys published after the overlap': exactly(1, 'keys'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const environment = { WEB_PROCESSES: '2', TRUSTED_PROXIES: '1', JWT_KEY_ROTATION: '1h', ...clock.environment }
    const stack = await rig.start({ environment })
    const { tokens, keys, uses, load } = await rotate(rig, stack, clock)
    return {
      measured: {
        'valid requests that were refused': load.refused.length,
        'valid tokens refused at their first use': uses.statuses.filter((status) => status !== 200).length,
        'tokens that the published keys do not verify': uses.unverified.length,
        'tokens signed by a key that not every process knows yet': tokens.hasty.length,
        'tokens of the stolen key refused during the overlap': uses.believed.filter((status) => status !== 200).length,
        'tokens of the old key taken after the overlap': uses.after.filter((status) => status !== 401).length,
        'keys published after the overlap': keys.published,
      },
      met: {
        'the old key signed at first': tokens.early.every((token) => keyIdOf(token) === keys.first),
        'the new key signed': tokens.young.every((token) => keyIdOf(token) === keys.second),
        'requests came in all the while, and most of them were not too many at once':
          load.served > 4 * MORE && load.unanswered < load.served,
        'strangers named keys that there are not, and were refused':
          load.strangers.length > 5 && load.strangers.every((status) => status === 401),
      },
      evidence: [
        `${load.served} requests served, ${load.unanswered} too many at once, ${load.strangers.length} of strangers; ${uses.statuses.length} first uses`,
        ...load.refused.slice(0, 5),
      ],
    }
  },
  sabotages: [
    patch('the old key is dropped at once', keysFile, '< KNOWN_AFTER_MS + accessMs + MINUTE', '< 0'),
    patch(
      'a new key signs before every process knows it',
      keysFile,
      'const KNOWN_AFTER_MS = 2 * READ_MS',
      'const KNOWN_AFTER_MS = 0',
    ),
    patch('old keys are good for ever', keysFile, '< KNOWN_AFTER_MS + accessMs + MINUTE', '< Number.MAX_VALUE'),
    patch(
      'what was seen of the old key stays good',
      'packages/platform/src/identity/access-tokens.ts',
      'if (!found || !keys.has(found.keyId))',
      'if (!found)',
    ),
  ],
})

/** The whole life of a change of keys, by the product's clock, with the load going on. */
async function rotate(rig: Rig, stack: Stack, clock: TurnableClock) {
  /** To this moment, in seconds since 1970. */
  const to = (seconds: number): void => clock.turn(Math.ceil(seconds - Date.now() / 1_000))
  const first = await newestKey(stack)
  const person = await stack.newcomer()
  const signIns: KeptSignIn[] = []
  for (let i = 0; i < SIGN_INS; i++) signIns.push(await keepSignIn(stack, person))
  const pins = await pinEach(stack.port, await stack.pids('web'))
  rig.defer(() => pins.forEach((pin) => void pin.close()))
  const uses = { statuses: [] as number[], unverified: [] as string[] }
  const use = async (tokens: readonly string[]): Promise<void> => {
    uses.statuses.push(...(await askEach(pins, tokens)))
    uses.unverified.push(...(await unverified(tokens, await publishedKeys(stack.url))))
  }

  to(first.createdSeconds + HOUR - 40)
  const early = await renewAll(signIns)
  const load = await startTokenLoad(rig, stack, person)
  await load.more(MORE)
  to(first.createdSeconds + HOUR + 1)
  const second = await until('another key', async () => other(await newestKey(stack), first), PATIENCE_MS)
  await load.more(MORE)
  await use(early.slice(0, SIGN_INS / 2))
  to(second.createdSeconds + SIGNS - BEFORE)
  const late = await renewAll(signIns)
  to(second.createdSeconds + SIGNS + 1)
  const young = await renewAll(signIns)
  await use([...young, ...early.slice(SIGN_INS / 2)])
  await load.more(MORE)
  const stolen = stealKey(stack, first)
  const forge = (after: number) => forgeToken(early[0] ?? '', stolen, second.createdSeconds + after, YEAR)
  to(second.createdSeconds + SIGNS - BEFORE + ACCESS - 2 * BEFORE)
  const seen = await forge(SIGNS)
  const believed = await askEach(pins, [seen])
  await use(late)
  await load.more(MORE)
  to(second.createdSeconds + OVERLAP + 5)
  await load.more(MORE)
  await load.strangersAgain()
  const after = await askEach(pins, [seen, await forge(SIGNS + 1), await forge(OVERLAP)])
  await use(await renewAll(signIns))
  const { keys } = await publishedKeys(stack.url)
  return {
    tokens: { early, young, hasty: [...late, ...young].filter((token) => isHasty(token, second)) },
    keys: { first: first.id, second: second.id, published: keys.length },
    uses: { ...uses, believed, after },
    load: await load.stop(),
  }
}

/** Each token in each process. */
async function askEach(pins: readonly Pinned[], tokens: readonly string[]): Promise<number[]> {
  const statuses: number[] = []
  for (const token of tokens) for (const pin of pins) statuses.push(await askPinUntilServed(pin, me, { token }))
  return statuses
}

/** Processes read the keys twice a minute: a key younger than that may not sign. The token tells whole seconds. */
const isHasty = (token: string, { id, createdSeconds }: SigningKeyRow): boolean =>
  keyIdOf(token) === id && issuedAt(token) - createdSeconds < SIGNS - 1

async function newestKey(stack: Stack): Promise<SigningKeyRow> {
  const [newest] = await signingKeysOf(stack)
  if (!newest) throw new Error('there is no signing key')
  return newest
}

const other = (found: SigningKeyRow, known: SigningKeyRow): SigningKeyRow | undefined =>
  found.id === known.id ? undefined : found

async function renewAll(signIns: readonly KeptSignIn[]): Promise<string[]> {
  const tokens: string[] = []
  for (const signIn of signIns) tokens.push(await signIn.renew())
  return tokens
}
