import { randomUUID } from 'node:crypto'
import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { type FuzzAnswer, type FuzzSettings, fuzz } from '../../rig/ffuf.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 20
const GOOD = 10_000
/** The network that the attackers share with some of the people. */
const SHARED = '203.0.113.9'
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })

export const claim = defineClaim({
  id: 'RAT-04',
  says: 'Whoever looks for holes is told to wait within ten requests and the log says why; of ten thousand requests of people, some of them in the same network and with mistakes among them, none is',
  answers: ['R8', 'ASVS 2.4.1', 'ASVS 16.3.3'],
  witness: 'ffuf with lists of scanners',
  needs: ['ffuf'],
  tier: 'full',
  seconds: 45,
  limits: {
    'requests answered before an attacker has to wait': atMost(10, 'requests'),
    'good requests refused or people suspected': exactly(0, 'times'),
    'attackers whose reasons are not in the log': exactly(0, 'of 4'),
    'good requests': atLeast(GOOD, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { SUSPICION: 'limit', TRUSTED_PROXIES: '1' } })
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => stack.newcomer()))
    const [peeper, fuzzer] = [await stack.newcomer(), await stack.newcomer()]
    const accounts = [await nameInLog(stack, peeper), await nameInLog(stack, fuzzer)]
    const [good, ...attacks] = await Promise.all([
      useIt(stack, people),
      scan(rig, stack),
      forge(rig, stack),
      enumerate(rig, stack, peeper),
      inject(rig, stack, fuzzer),
    ])
    const lines = stack.log().filter((line) => line.security === 'suspicion')
    const attackers = [...accounts, '203.0.x.x', '198.51.x.x']
    const suspected = lines.filter((line) => !attackers.includes(whoIn(line)))
    const explained = attackers.filter((who) => lines.some((line) => whoIn(line) === who && hasReasons(line)))
    return {
      measured: {
        'requests answered before an attacker has to wait': Math.max(...attacks.map(answered)),
        'good requests refused or people suspected': good.refused + suspected.length,
        'attackers whose reasons are not in the log': attackers.length - explained.length,
        'good requests': good.sent,
      },
      met: {
        'every attack was made': attacks.every((answers) => answers.length >= 100),
        'people made mistakes': good.mistakes >= PEOPLE * 5,
      },
      evidence: [
        `answered before the wait: ${attacks.map(answered).join(', ')}`,
        ...lines.map((line) => `${whoIn(line)}: ${line.score} ${JSON.stringify(line.why)}`),
      ],
    }
  },
  sabotages: [
    patch(
      'nobody has to wait',
      'packages/platform/src/limits/suspicion.ts',
      'entry.untilMs = now + WAIT_MS',
      'entry.untilMs = now',
    ),
    patch(
      'one mistake is enough',
      'packages/platform/src/limits/suspicion.ts',
      'const SUSPICIOUS = 15',
      'const SUSPICIOUS = 2',
    ),
    patch(
      'people answer for their network',
      'packages/platform/src/http/stages/suspect.ts',
      "? parts.suspicion.waitSeconds('account', caller.accountId)",
      "? parts.suspicion.waitSeconds('network', networkKey)",
    ),
    patch('the log does not say why', 'packages/platform/src/limits/suspicion.ts', 'why: { ...entry.why },', ''),
  ],
})

const answered = (answers: readonly FuzzAnswer[]): number => answers.filter(({ status }) => status !== 429).length
const whoIn = ({ account, network }: Readonly<Record<string, unknown>>): string => String(account ?? network)

/** The pseudonym that the log gives to an account, as an operator finds it: by the id of one of its requests. */
async function nameInLog(stack: Stack, { accountId, fetch }: Person): Promise<string> {
  const id = `who-${accountId.slice(-12)}`
  await fetch('/api/cosnap/credits', { headers: { 'x-request-id': id } })
  return until('the line is written', () => {
    const line = stack.log().find(({ request, account }) => request === id && account !== undefined)
    return line && String(line.account)
  })
}

const hasReasons = ({ why }: Readonly<Record<string, unknown>>): boolean =>
  typeof why === 'object' && why !== null && Object.values(why).some((count) => Number(count) > 0)

/** One after the other: what is under way at once is judged at once. */
const attack = (rig: Rig, settings: FuzzSettings): Promise<readonly FuzzAnswer[]> =>
  fuzz(rig, { atATime: 1, ...settings })

const holes = ['wp-login.php', '.env', '.git/config', 'phpmyadmin/', 'admin.php', 'cgi-bin/test', 'backup.sql']
/** Between well-known holes, names that only a list has. */
const scan = (rig: Rig, stack: Stack) =>
  attack(rig, {
    url: `${stack.url}/PATH`,
    headers: from(SHARED),
    words: {
      PATH: Array.from({ length: 200 }, (_, i) => (i % 5 === 4 ? (holes[i % holes.length] ?? '') : `old-${i}`)),
    },
  })

const forge = (rig: Rig, stack: Stack) =>
  attack(rig, {
    url: `${stack.url}/api/identity/me`,
    headers: { ...from('198.51.100.7'), authorization: 'Bearer TOKEN' },
    words: { TOKEN: Array.from({ length: 120 }, () => `eyJhbGciOiJub25lIn0.e30.${randomUUID().replaceAll('-', '')}`) },
  })

/** Things of others, by guessed ids. */
const enumerate = (rig: Rig, stack: Stack, person: Person) =>
  attack(rig, {
    url: `${stack.url}/api/cosnap/photos/ID`,
    headers: { ...from('192.0.2.1'), authorization: `Bearer ${person.token}` },
    words: { ID: Array.from({ length: 120 }, () => randomUUID()) },
  })

const inject = (rig: Rig, stack: Stack, person: Person) =>
  attack(rig, {
    url: `${stack.url}/api/cosnap/photos?limit=VALUE`,
    headers: { ...from('192.0.2.2'), authorization: `Bearer ${person.token}` },
    words: { VALUE: Array.from({ length: 120 }, (_, i) => `1%27%20OR%20${i}=${i}--`) },
  })

const pages = ['/api/cosnap/photos', '/api/cosnap/effects', '/api/identity/me', '/api/cosnap/credits', '/']

/** People who look around and now and then ask for what is gone, mistype, or have an old page open. */
async function useIt(stack: Stack, people: readonly Person[]) {
  const counts = { sent: 0, refused: 0, mistakes: 0 }
  const note = async (asked: Promise<Response>): Promise<void> => {
    const response = await asked
    await response.arrayBuffer()
    counts.sent++
    if (response.status === 429) counts.refused++
    if (response.status >= 400) counts.mistakes++
  }
  const each = GOOD / people.length
  await Promise.all(
    people.map(async (person, at) => {
      const headers = from(at % 4 === 0 ? SHARED : `198.18.0.${at}`)
      const mistakes = [
        () => person.fetch(`/api/cosnap/photos/${randomUUID()}`, { headers }),
        () => person.fetch('/api/cosnap/runs', jsonBody({ effect: 'noir' }, headers)),
        () => fetch(`${stack.url}/favicon-old.ico`, { headers: from(`198.18.1.${at}`) }),
      ]
      for (let i = 0; i < each; i++) {
        const mistake = i % 50 === 25 ? mistakes[(i / 25) % mistakes.length] : undefined
        await note(mistake ? mistake() : person.fetch(pages[i % pages.length] ?? '/', { headers }))
      }
    }),
  )
  return counts
}
