import { createHash, createHmac } from 'node:crypto'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 8
const REQUESTS = 5

export const claim = defineClaim({
  id: 'ENC-07',
  says: 'The log calls accounts by pseudonyms: the same all day, different for each, and nobody who knows all ids finds out whose they are',
  answers: ['E8', 'ASVS 16.2.5'],
  witness: 'every common hash of every id',
  tier: 'full',
  seconds: 20,
  limits: {
    'ids in the log': exactly(0, 'ids'),
    'pseudonyms found out': exactly(0, 'pseudonyms'),
    'accounts with more than one pseudonym': exactly(0, 'accounts'),
    'pseudonyms of more than one account': exactly(0, 'pseudonyms'),
    guesses: atLeast(1_000, 'guesses'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const people: Person[] = []
    for (let i = 0; i < PEOPLE; i++) people.push(await stack.newcomer())
    const called = await pseudonymsOf(stack, people)
    const all = [...called.values()].flat()
    const guesses = people.flatMap(({ accountId, userId }) => [accountId, userId].flatMap(hashesOf))
    const found = [...new Set(all)].filter((pseudonym) => {
      const bare = pseudonym.replace(/^p-/, '')
      return guesses.some((guess) => guess.includes(bare))
    })
    const owners = new Map<string, Set<string>>()
    for (const [account, names] of called)
      for (const name of names) owners.set(name, (owners.get(name) ?? new Set()).add(account))
    const ids = people.flatMap(({ accountId, userId }) => [accountId, userId])
    return {
      measured: {
        'ids in the log': ids.filter((id) => stack.output().includes(id)).length,
        'pseudonyms found out': found.length,
        'accounts with more than one pseudonym': [...called.values()].filter((names) => new Set(names).size > 1).length,
        'pseudonyms of more than one account': [...owners.values()].filter((accounts) => accounts.size > 1).length,
        guesses: guesses.length,
      },
      met: {
        'every account has lines with a pseudonym': [...called.values()].every((names) => names.length >= REQUESTS),
      },
      evidence: [[...new Set(all)].slice(0, 5).join(' '), ...found],
    }
  },
  sabotages: [
    patch(
      'pseudonyms have an empty key',
      'packages/platform/src/telemetry/pseudonyms.ts',
      "createHmac('sha256', key).update(id)",
      "createHmac('sha256', '').update(id)",
    ),
    patch(
      'the log shows the account itself',
      'packages/platform/src/http/reply.ts',
      'exchange.parts.pseudonym(exchange.caller.accountId)',
      'exchange.caller.accountId',
    ),
    patch(
      'pseudonyms change from line to line',
      'packages/platform/src/telemetry/pseudonyms.ts',
      'known.get(id) ?? make(id, day)',
      'make(id, day + known.size + Math.random())',
    ),
  ],
})

/** Asked one after the other, so that it is known which lines are whose: by the id of the request. */
async function pseudonymsOf(stack: Stack, people: readonly Person[]): Promise<Map<string, string[]>> {
  const called = new Map<string, string[]>()
  for (const { accountId, fetch } of people) {
    const requests = Array.from({ length: REQUESTS }, (_, i) => `who-${accountId.slice(-12)}-${i}`)
    for (const id of requests) await fetch('/api/cosnap/credits', { headers: { 'x-request-id': id } })
    const lines = await until('the lines are written', () => {
      const found = stack.log().filter((line) => line.message === 'request' && requests.includes(String(line.request)))
      return found.length === REQUESTS && found
    })
    called.set(
      accountId,
      lines.flatMap(({ account }) => (typeof account === 'string' ? [account] : [])),
    )
  }
  return called
}

/** What somebody would try who has all ids: common hashes, with common keys, in hex and in base64. */
function hashesOf(id: string): string[] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  const inputs = [id, id.toUpperCase(), id.replaceAll('-', ''), bytes]
  const names = ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'blake2b512']
  const keys = ['', 'secret', 'key', 'seaworthy', 'salt', 'pseudonym', 'seaworthy log pseudonyms 1', id]
  return inputs.flatMap((input) =>
    names.flatMap((name) =>
      [
        createHash(name).update(input).digest(),
        ...keys.map((key) => createHmac(name, key).update(input).digest()),
      ].flatMap((digest) => [digest.toString('hex'), digest.toString('base64url')]),
    ),
  )
}
