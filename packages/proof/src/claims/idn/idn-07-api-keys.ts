import { createHash } from 'node:crypto'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes } from '../../rig/api-document.ts'
import { forgeriesOf, type MadeKey, makeApiKey, secretOf } from '../../rig/api-keys.ts'
import { askPinUntilServed, askUntilServed } from '../../rig/asked-again.ts'
import { filesWith } from '../../rig/files-with.ts'
import { MISSING } from '../../rig/foreign.ts'
import { openOffice } from '../../rig/office.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { type Pinned, pinEach } from '../../rig/pinned.ts'
import type { Stack } from '../../rig/stack.ts'
import { makeTurnableClock } from '../../rig/turnable-clock.ts'
import { patch } from '../../sabotage.ts'

const REVOKED = 4
const DAY = 86_400
/** What is not refused by then has taken too long anyway. */
const PATIENCE_MS = 2_000
const STEP_MS = 5
/** What the list shows of a key. */
const HINT_LENGTH = 12
const photos = '/api/cosnap/photos'
/** Changes nothing: there is no such run. */
const change = { path: `/api/cosnap/runs/${MISSING}/cancel`, options: { method: 'POST' } }
const apiKeys = 'packages/platform/src/identity/api-keys.ts'

export const claim = defineClaim({
  id: 'IDN-07',
  says: 'An API key is shown once and kept as a hash only, does what it was made for and never more than its maker may do now, and is refused by every web process a second after it was revoked, and from its last day on',
  answers: ['I4', 'ASVS 7.4.1', 'ASVS 8.2.1', 'ASVS 10.4.9', 'ASVS 10.4.11', 'ASVS 11.4.1', 'ASVS 14.2.4'],
  witness: 'two web processes, told apart by the kernel; grep over every file of the installation; libfaketime',
  needs: ['faketime'],
  tier: 'full',
  seconds: 25,
  alone: true,
  limits: {
    'longest time until every process refuses a revoked key': atMost(1_000, 'ms'),
    'longest time until a key may do no more than its maker': atMost(1_000, 'ms'),
    'revoked keys taken later': exactly(0, 'answers'),
    'forged keys taken': exactly(0, 'keys'),
    'keys taken after their last day': exactly(0, 'answers'),
    'keys refused before': exactly(0, 'answers'),
    'routes that took a key without its scope': exactly(0, 'routes'),
    'answers that show a key again': exactly(0, 'answers'),
    'files and printed lines with a key in them': exactly(0, 'places'),
    'kept values that are not the SHA-256 of their key': exactly(0, 'keys'),
  },
  experiment: async (rig) => {
    const clock = makeTurnableClock(rig)
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2', ...clock.environment } })
    const person = await stack.newcomer()
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => pins.forEach((pin) => void pin.close()))
    const make = (wanted = {}) => makeApiKey(stack.url, person.token, wanted)
    const [reads, writes, daily] = [
      await make({ role: 'admin' }),
      await make({ role: 'admin', scopes: ['cosnap:write'] }),
      await make({ days: 1 }),
    ]
    const doomed: MadeKey[] = []
    for (let i = 0; i < REVOKED; i++) doomed.push(await make())
    const all = [reads, writes, daily, ...doomed]
    const known = await askEach(
      pins,
      all.filter((key) => key !== writes),
    )
    const forged = await askEach(
      pins,
      forgeriesOf(reads, rig.random).map((key) => ({ id: '', key })),
    )
    const scopes = await tryScopes(stack, reads, writes)
    const shown = await lookAgain(stack, person, all)
    const delays: number[] = []
    for (const [i, key] of doomed.entries()) delays.push(await revoke(i % 2 ? pins : pins.toReversed(), person, key))
    const demoted = await demote(stack, pins)
    const later = await askEach(pins, doomed)
    const kept = await search(stack, all)
    clock.turn(DAY - 60)
    const before = await askEach(pins, [daily, reads])
    clock.turn(DAY + 5)
    const after = await askEach(pins, [daily])
    return {
      measured: {
        'longest time until every process refuses a revoked key': Math.max(...delays),
        'longest time until a key may do no more than its maker': demoted.delayMs,
        'revoked keys taken later': later.filter((status) => status !== 401).length,
        'forged keys taken': forged.filter((status) => status !== 401).length,
        'keys taken after their last day': after.filter((status) => status !== 401).length,
        'keys refused before': [...known, ...before].filter((status) => status !== 200).length,
        'routes that took a key without its scope': scopes.wrong.length,
        'answers that show a key again': shown.again.length,
        'files and printed lines with a key in them': kept.places.length,
        'kept values that are not the SHA-256 of their key': kept.other,
      },
      met: {
        'two processes served': new Set(pins.map((pin) => pin.pid)).size === 2,
        'the keys were listed, and those revoked no more': shown.listed && !(await isListed(person, doomed)),
        'keys opened what they were made for': scopes.opened.length >= 10,
        'many answers were looked through': shown.asked >= 15,
        'the same search finds the beginning of a key, which is kept': kept.hints > 0,
        'the key of somebody who was demoted worked before': demoted.before.every((status) => status === 404),
      },
      evidence: [
        `until both refused: ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms; after the demotion: ${demoted.delayMs.toFixed(0)} ms`,
        `${scopes.opened.length} routes opened by their scope`,
        ...scopes.wrong,
        ...shown.again,
        ...kept.places,
      ],
    }
  },
  sabotages: [
    patch(
      'the key itself is kept',
      apiKeys,
      "const hashKey = (key: string): Buffer => createHash('sha256').update(key).digest()",
      'const hashKey = (key: string): Buffer => Buffer.from(key)',
    ),
    patch('the list shows whole keys', apiKeys, 'key.slice(0, PREFIX.length + 8)', 'key'),
    patch(
      'who has seen a key does not hear of its end',
      apiKeys,
      'if (found.caller.sessionId === id) cache.delete(text)',
      'if (id === text) cache.delete(text)',
    ),
    patch('the secret half is not compared', apiKeys, '!timingSafeEqual(row.hash, hashKey(key))', 'false'),
    patch(
      'a key for one thing opens another',
      'packages/platform/src/http/stages/authorise.ts',
      'if (!scopes.includes(scope))',
      'if (scopes.length === 0)',
    ),
    patch('keys have no last day', apiKeys, 'if (expiresMs <= clock.now())', 'if (expiresMs <= 0)'),
    patch(
      'a key keeps the role that it was made with',
      apiKeys,
      'roleAtLeast(row.memberRole, row.role) ? row.role : row.memberRole',
      'row.role',
    ),
  ],
})

/** Each key by each process. */
async function askEach(pins: readonly Pinned[], keys: readonly MadeKey[]): Promise<number[]> {
  const statuses: number[] = []
  for (const { key } of keys)
    for (const pin of pins) statuses.push(await askPinUntilServed(pin, photos, { token: key }))
  return statuses
}

/** Asks all processes at once until none answers as before, and says how long that took. */
async function untilAll(pins: readonly Pinned[], isOver: (pin: Pinned) => Promise<boolean>): Promise<number> {
  const startedAt = performance.now()
  const ends = pins.map(async (pin) => {
    while (!(await isOver(pin)) && performance.now() - startedAt < PATIENCE_MS)
      await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    return performance.now() - startedAt
  })
  return Math.max(...(await Promise.all(ends)))
}

async function revoke(pins: readonly Pinned[], { token }: Person, { id, key }: MadeKey): Promise<number> {
  const [asked] = pins
  const status = asked && (await askPinUntilServed(asked, `/api/identity/api-keys/${id}`, { method: 'DELETE', token }))
  if (status !== 204) throw new Error(`revoking answered ${status}`)
  return untilAll(pins, async (pin) => (await pin.ask(photos, { token: key })) === 401)
}

/** An administrator's key changes things, until the owner makes them a viewer. */
async function demote(stack: Stack, pins: readonly Pinned[]) {
  const office = await openOffice(stack)
  const admin = await office.join('admin')
  const { key } = await makeApiKey(stack.url, admin.token, { role: 'admin', scopes: ['cosnap:write'] })
  const ask = (pin: Pinned): Promise<number> => pin.ask(change.path, { ...change.options, token: key })
  const before: number[] = []
  for (const pin of pins) before.push(await askPinUntilServed(pin, change.path, { ...change.options, token: key }))
  const headers = { authorization: `Bearer ${office.owner.token}` }
  const members = `${stack.url}/api/identity/members/${admin.person.userId}`
  const { status } = await askUntilServed(() => fetch(members, jsonBody({ role: 'viewer' }, headers, 'PATCH')))
  if (status >= 300) throw new Error(`making somebody a viewer answered ${status}`)
  return { before, delayMs: await untilAll(pins, async (pin) => (await ask(pin)) === 403) }
}

/** Both keys at every route that is not public. */
async function tryScopes(stack: Stack, reads: MadeKey, writes: MadeKey) {
  const routes = (await documentedRoutes(stack.url)).filter(({ operation }) => operation['x-role'] !== 'public')
  const isMeantFor = (made: MadeKey, { method, path }: DocumentedRoute): boolean =>
    path.startsWith('/api/cosnap/') && made === (method === 'GET' ? reads : writes)
  const [opened, wrong]: [string[], string[]] = [[], []]
  for (const route of routes)
    for (const made of [reads, writes]) {
      const status = await knock(stack.url, route, made)
      const list = isMeantFor(made, route) ? opened : wrong
      if (status !== 403) list.push(`${route.method} ${route.path}: ${status}`)
    }
  return { opened, wrong }
}

/** Whoever may pass is told that this question is not known: nothing has an effect. */
async function knock(url: string, { method, path, operation }: DocumentedRoute, { key }: MadeKey): Promise<number> {
  const type = Object.keys(operation.requestBody?.content ?? {})[0]
  const response = await askUntilServed(() =>
    fetch(`${url}${path.replace(/\{[^}]+\}/g, MISSING)}?surprise=1`, {
      method,
      ...(type ? { body: '{}' } : {}),
      headers: { authorization: `Bearer ${key}`, ...(type ? { 'content-type': type } : {}) },
    }),
  )
  await response.arrayBuffer()
  return response.status
}

const isListed = async (person: Person, keys: readonly MadeKey[]): Promise<boolean> => {
  const listed = await (await person.fetch('/api/identity/api-keys')).text()
  return keys.every(({ id }) => listed.includes(id))
}

/** Everything that the maker can read without naming a thing. */
async function lookAgain(stack: Stack, person: Person, keys: readonly MadeKey[]) {
  const readable = (await documentedRoutes(stack.url)).filter(
    ({ method, path, operation }) => method === 'GET' && !path.includes('{') && operation['x-role'] !== 'operator',
  )
  const again: string[] = []
  for (const { path } of readable) {
    const text = await (await askUntilServed(() => person.fetch(path))).text()
    if (keys.some((made) => text.includes(secretOf(made)))) again.push(`shown by ${path}`)
  }
  return { asked: readable.length, again, listed: await isListed(person, keys) }
}

async function search(stack: Stack, keys: readonly MadeKey[]) {
  const admin = await stack.database()
  const { rows } = await admin.query<{ id: string; hash: Buffer }>('select id, hash from seaworthy.api_keys')
  const isHash = ({ id, key }: MadeKey): boolean =>
    rows.some((row) => row.id === id && row.hash.equals(createHash('sha256').update(key).digest()))
  await admin.query('checkpoint')
  const files = await filesWith(stack.dataDirectory, ...keys.flatMap((made) => [made.key, secretOf(made)]))
  const lines = stack.output().split('\n')
  const places = [
    ...files.map((file) => file.slice(stack.dataDirectory.length)),
    ...lines.filter((line) => keys.some((made) => line.includes(secretOf(made)))),
  ]
  const { length: hints } = await filesWith(stack.dataDirectory, keys[0]?.key.slice(0, HINT_LENGTH) ?? '')
  return { places, hints, other: keys.filter((made) => !isHash(made)).length }
}
