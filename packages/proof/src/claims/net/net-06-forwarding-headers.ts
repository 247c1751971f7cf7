import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { defineClaim, exactly } from '../../claim.ts'
import { startNginx } from '../../rig/nginx.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

type Headers = Readonly<Record<string, string | string[]>>

/** Ways to claim to be somebody else; `address` is new each time. */
const forgeries: readonly ((address: string) => Headers)[] = [
  (address) => ({ 'x-forwarded-for': address }),
  (address) => ({ 'x-forwarded-for': `${address}, 10.0.0.1` }),
  (address) => ({ 'x-forwarded-for': [address, '10.0.0.1'] }),
  (address) => ({ 'x-forwarded-for': `${address},` }),
  (address) => ({ 'x-forwarded-for': `"${address}"`, 'x-forwarded-host': address }),
  (address) => ({ forwarded: `for=${address};proto=https` }),
  (address) => ({ 'x-real-ip': address }),
  (address) => ({ 'x-client-ip': address }),
  (address) => ({ 'true-client-ip': address }),
  (address) => ({ 'cf-connecting-ip': address }),
]
/** Callers that nginx sees, each in a network of its own. */
const sources = ['127.1.0.1', '127.2.0.1', '127.3.0.1', '127.4.0.1', '127.5.0.1']
const ROUNDS = 3
const TRIES = 3

export const claim = defineClaim({
  id: 'NET-06',
  says: 'Nobody escapes a limit by forging forwarding headers, and behind nginx every caller is known by his own address',
  answers: ['H9', 'I5', 'ASVS 4.1.3'],
  witness: 'nginx',
  needs: ['nginx'],
  tier: 'full',
  seconds: 10,
  limits: {
    'tries won by forged headers, through nginx': exactly(0, 'tries'),
    'forged addresses believed, directly': exactly(0, 'requests'),
    'callers refused for what another did': exactly(0, 'callers'),
    'addresses taken down wrongly': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { TRUSTED_PROXIES: '1', AUTH_RATE_LIMIT_MAX: String(TRIES) } })
    const nginx = await startNginx(rig, stack.port)
    const forged = await forgeAll(nginx.port, `nginx-${rig.seed}`)
    const innocent = await Promise.all(
      sources.map((from, i) => guess(nginx.port, { from, id: `source-${rig.seed}-${i}` })),
    )
    const bare = await rig.service()
    const direct = await forgeAll(bare.port, `direct-${rig.seed}`)
    const wrong = [
      ...(await wrongNetworks(stack, [...forged, ...innocent])),
      ...(await wrongNetworks(bare, direct)).map((line) => `directly: ${line}`),
    ]
    const passed = forged.filter(({ status }) => status !== 429)
    const refused = innocent.filter(({ status }) => status === 429)
    return {
      measured: {
        'tries won by forged headers, through nginx': passed.length - TRIES,
        'forged addresses believed, directly': wrong.filter((line) => line.startsWith('directly')).length,
        'callers refused for what another did': refused.length,
        'addresses taken down wrongly': wrong.length,
      },
      met: {
        'nginx passed on what was forged': nginx.accessLog().filter((line) => line.includes('203.0.113.')).length > 0,
        'every request was answered': [...forged, ...innocent, ...direct].every(({ status }) => status > 0),
      },
      evidence: [`${forged.length} forged requests each way`, ...wrong.slice(0, 10)],
    }
  },
  sabotages: [
    patch(
      'the first entry is believed, which anybody may write',
      'packages/platform/src/limits/network.ts',
      'hops[Math.max(0, hops.length - trusted)]',
      'hops[0]',
    ),
    patch(
      'the header is believed where no proxy stands in front',
      'packages/platform/src/limits/network.ts',
      'if (trusted === 0 || !forwardedFor) return socketAddress',
      'if (!forwardedFor) return socketAddress; if (trusted === 0) return forwardedFor.split(",")[0] ?? ""',
    ),
    wrongSettings('one proxy too many is trusted', { TRUSTED_PROXIES: '2' }),
  ],
})

interface Guess {
  readonly id: string
  readonly from: string
  readonly status: number
}

async function forgeAll(port: number, name: string): Promise<Guess[]> {
  const guesses: Guess[] = []
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, forge] of forgeries.entries()) {
      const address = `203.0.113.${guesses.length + 1}`
      guesses.push(await guess(port, { from: '127.0.0.1', id: `${name}-${round}-${i}`, headers: forge(address) }))
    }
  return guesses
}

/** One try to sign in, each time as somebody else, from this address of loopback. Status 0: no answer. */
function guess(port: number, { from, id, headers }: { from: string; id: string; headers?: Headers }): Promise<Guess> {
  const body = JSON.stringify({ email: `${id}@example.com`, password: 'not the password' })
  return new Promise((resolve) => {
    const outgoing = request(
      {
        port,
        host: '127.0.0.1',
        localAddress: from,
        path: '/api/identity/sign-in',
        method: 'POST',
        timeout: 10_000,
        headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers },
      },
      (answer) => {
        answer.resume()
        answer.once('close', () => resolve({ id, from, status: answer.statusCode ?? 0 }))
      },
    )
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', () => resolve({ id, from, status: 0 }))
    outgoing.end(body)
  })
}

/** Requests whose log line names another network than the one they came from. */
async function wrongNetworks(stack: Stack, guesses: readonly Guess[]): Promise<string[]> {
  const last = await guess(stack.port, { from: '127.0.0.1', id: `last-${randomUUID()}` })
  const lines = await until('the last request is in the log', () => {
    const found = new Map(stack.log().map((line) => [line.request, line.network]))
    return found.has(last.id) && found
  })
  return guesses
    .map(({ id, from }) => ({ id, from: from.replace(/\.\d+\.\d+$/, '.x.x'), network: lines.get(id) }))
    .filter(({ from, network }) => network !== from)
    .map(({ id, from, network }) => `${id}: ${network} instead of ${from}`)
}
