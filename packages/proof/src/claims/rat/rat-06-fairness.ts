import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import { documentedLimits } from '../../rig/documented-limits.ts'
import type { Person } from '../../rig/person.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 20
const PER_SECOND = 40
const FLOOD_PER_SECOND = 250
const ROUNDS = 3
const ROUND_MS = 3_000
/** Below that a difference is the machine's, and nobody notices it. */
const FLOOR_MS = 15
const path = '/api/cosnap/photos'

export const claim = defineClaim({
  id: 'RAT-06',
  says: 'When one account asks without end, twenty others are answered as quickly as before, within one and a half times',
  answers: ['R3', 'R9', 'ASVS 2.4.1'],
  witness: 'open-loop load, with and without the flood in turns',
  tier: 'full',
  seconds: 32,
  alone: true,
  limits: {
    '95th percentile beside the flood, of that alone': atMost(1.5, 'times'),
    'requests of others without a good answer': exactly(0, 'requests'),
    'requests of the flood let through in a turn': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { ...documentedLimits, TRUSTED_PROXIES: '1', ...moreSignUps } })
    const people: Person[] = []
    for (let i = 0; i < PEOPLE; i++) people.push(await stack.newcomer())
    const flooder = await stack.newcomer()
    await untilLimited(flooder)
    const [alone, beside]: [number[], number[]] = [[], []]
    const [good, flood] = [{ bad: 0 }, { passed: 0, sent: 0 }]
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await round95(people, good))
      const flooding = startFlood(flooder, flood)
      beside.push(await round95(people, good))
      await flooding.stop()
    }
    const median = (values: readonly number[]): number => quantile(values, 0.5)
    return {
      measured: {
        '95th percentile beside the flood, of that alone':
          Math.max(FLOOR_MS, median(beside)) / Math.max(FLOOR_MS, median(alone)),
        'requests of others without a good answer': good.bad,
        'requests of the flood let through in a turn': flood.passed,
      },
      met: { 'the flood came': flood.sent > 0.8 * ROUNDS * (ROUND_MS / 1_000) * FLOOD_PER_SECOND },
      evidence: [
        `alone ${alone.map((ms) => ms.toFixed(1)).join(', ')} ms, beside the flood ${beside.map((ms) => ms.toFixed(1)).join(', ')} ms`,
      ],
    }
  },
  sabotages: [
    patch(
      'an account may ask as often as it likes',
      'packages/platform/src/http/stages/limit.ts',
      'if (!decision.allowed) refuse(exchange, limit, decision)',
      '',
    ),
    patch(
      'a refused request holds everybody up',
      'packages/platform/src/http/stages/limit.ts',
      'exchange.rate = { name, decision, windowSeconds: windowMs / 1_000 }\n  throw',
      'for (const end = performance.now() + 3; performance.now() < end; );\n  throw',
    ),
  ],
})

const moreSignUps = { AUTH_RATE_LIMIT_MAX: '1000' }
const from = (network: number): Record<string, string> => ({ 'x-forwarded-for': `203.0.113.${network}` })
/** From so many addresses that no network asks too much: only the account does. */
const fromManyNetworks = (i: number): Record<string, string> => ({ 'x-forwarded-for': `198.51.100.${i % 250}` })

async function untilLimited(flooder: Person): Promise<void> {
  let asked = 0
  await until(
    'the flooding account is limited',
    async () => {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const response = await flooder.fetch(path, { headers: fromManyNetworks(asked++) })
          await response.arrayBuffer()
          return response.status
        }),
      )
      return statuses.includes(429)
    },
    30_000,
  ).catch(() => false)
}

/** The 95th percentile of what twenty people wait in a round. */
async function round95(people: readonly Person[], counts: { bad: number }): Promise<number> {
  const arrivals = startArrivals(PER_SECOND, async (i) => {
    const at = i % people.length
    const response = await (people[at] as Person).fetch(path, { headers: from(at) })
    await response.arrayBuffer()
    if (!response.ok) counts.bad++
    return response.ok
  })
  await until('the round is over', () => arrivals.now() > ROUND_MS)
  await arrivals.stop()
  return quantile(
    arrivals.samples.map((sample) => sample.ms),
    0.95,
  )
}

function startFlood(flooder: Person, counts: { passed: number; sent: number }): Arrivals {
  return startArrivals(FLOOD_PER_SECOND, async (i) => {
    const response = await flooder.fetch(path, { headers: fromManyNetworks(i) })
    await response.arrayBuffer()
    counts.sent++
    if (response.status !== 429) counts.passed++
    return response.status === 429
  })
}
