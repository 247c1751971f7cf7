import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Colleague, type Office, openOffice } from '../../rig/office.ts'
import { jsonBody } from '../../rig/person.ts'
import { type Pinned, pinEach } from '../../rig/pinned.ts'
import { patch } from '../../sabotage.ts'

const REMOVED = 4
/** When it is not refused by then, it has taken too long anyway. */
const PATIENCE_MS = 2_000
const STEP_MS = 5
const photos = '/api/cosnap/photos'

export const claim = defineClaim({
  id: 'TEN-07',
  says: 'Whoever is removed from an account sees nothing of it within a second, in every process, with their sign-in and with their API keys',
  answers: ['N13', 'I5', 'ASVS 7.4.1', 'ASVS 8.3.2'],
  witness: 'two web processes, told apart by the kernel',
  tier: 'full',
  seconds: 15,
  alone: true,
  limits: {
    'longest time until every process refuses the sign-in': atMost(1_000, 'ms'),
    'longest time until every process refuses the key': atMost(1_000, 'ms'),
    'answers by the process that removed them': exactly(0, 'answers'),
    'members who stay and are refused': exactly(0, 'members'),
    'removed people whose sign-in does not go on at home': exactly(0, 'people'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2' } })
    const office = await openOffice(stack)
    const stays = await office.join('member')
    const leaving: Leaving[] = []
    for (let i = 0; i < REMOVED; i++) leaving.push(await withKey(stack.url, await office.join('admin')))
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => pins.forEach((pin) => void pin.close()))
    const known: number[] = []
    for (const { token, key } of leaving)
      for (const pin of pins) known.push(await pin.ask(photos, { token }), await pin.ask(photos, { token: key }))
    const removals: Removal[] = []
    for (const [i, one] of leaving.entries()) removals.push(await remove(i % 2 ? pins.toReversed() : pins, office, one))
    const still: number[] = []
    for (const pin of pins) still.push(await pin.ask(photos, { token: stays.token }))
    const homes = await Promise.all(leaving.map(({ person }) => homeOf(stack.url, person.cookie)))
    return {
      measured: {
        'longest time until every process refuses the sign-in': Math.max(...removals.map((one) => one.signInMs)),
        'longest time until every process refuses the key': Math.max(...removals.map((one) => one.keyMs)),
        'answers by the process that removed them': removals.filter((one) => one.stillServed).length,
        'members who stay and are refused': still.filter((status) => status !== 200).length,
        'removed people whose sign-in does not go on at home': homes.filter(
          (home, i) => home !== leaving[i]?.person.accountId,
        ).length,
      },
      met: {
        'two processes served': new Set(pins.map((pin) => pin.pid)).size === 2,
        'both processes knew every sign-in and every key': known.every((status) => status === 200),
      },
      evidence: removals.map((one) => `sign-in ${one.signInMs.toFixed(0)} ms, key ${one.keyMs.toFixed(0)} ms`),
    }
  },
  sabotages: [
    patch(
      'sign-ins stay where they were',
      'packages/platform/src/identity/members.ts',
      'announce(parts, tx, await moveSessionsHome(tx, of))',
      'void moveSessionsHome',
    ),
    patch(
      'keys outlive the membership in memory',
      'packages/platform/src/identity/members.ts',
      'update seaworthy.api_keys set revoked_at = clock_timestamp(), changed_at = clock_timestamp()',
      'update seaworthy.api_keys set revoked_at = clock_timestamp()',
    ),
    patch(
      'the process that removes somebody learns of it like the others',
      'packages/platform/src/identity/members.ts',
      'for (const { id, version } of changed) revocations.change(id, version)',
      'void [revocations, changed]',
    ),
  ],
})

interface Leaving extends Colleague {
  readonly key: string
}

async function withKey(url: string, colleague: Colleague): Promise<Leaving> {
  const wanted = { name: 'script', role: 'member', scopes: ['cosnap:read'] }
  const headers = { authorization: `Bearer ${colleague.token}` }
  const made = await fetch(`${url}/api/identity/api-keys`, jsonBody(wanted, headers))
  return { ...colleague, key: ((await made.json()) as { key: string }).key }
}

interface Removal {
  readonly stillServed: boolean
  readonly signInMs: number
  readonly keyMs: number
}

async function remove([asked, other]: readonly Pinned[], { owner }: Office, leaving: Leaving): Promise<Removal> {
  if (!asked || !other) throw new Error('two processes must serve')
  const path = `/api/identity/members/${leaving.person.userId}`
  const answer = await asked.ask(path, { method: 'DELETE', token: owner.token })
  const removedAt = performance.now()
  if (answer !== 204) throw new Error(`removing answered ${answer}`)
  const stillServed = (await asked.ask(photos, { token: leaving.token })) !== 401
  const until = async (token: string): Promise<number> => {
    for (const pin of [other, asked])
      while (performance.now() - removedAt < PATIENCE_MS && (await pin.ask(photos, { token })) !== 401)
        await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    return performance.now() - removedAt
  }
  const [signInMs, keyMs] = await Promise.all([until(leaving.token), until(leaving.key)])
  return { stillServed, signInMs, keyMs }
}

/** The account in which the sign-in goes on. */
async function homeOf(url: string, cookie: string): Promise<string | undefined> {
  const response = await fetch(`${url}/api/identity/refresh`, { method: 'POST', headers: { cookie } })
  if (response.status !== 200) return undefined
  return ((await response.json()) as { user: { accountId: string } }).user.accountId
}
