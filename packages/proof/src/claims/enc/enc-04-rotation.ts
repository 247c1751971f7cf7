import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { type Installation, keysOrThrow } from '../../rig/keys.ts'
import type { Person } from '../../rig/person.ts'
import { keepProviderKey, randomSecret, seeProviderKeys } from '../../rig/provider-keys.ts'
import type { Rig } from '../../rig/rig.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 12

export const claim = defineClaim({
  id: 'ENC-04',
  says: 'The encryption key is replaced twice, and then every data key, while two processes read and write sealed values: no read fails, every value ends under the newest keys, and the former keys are gone',
  answers: ['E4', 'ASVS 11.2.4', 'ASVS 13.3.4'],
  witness: 'people who read and write all the while; psql counts by version; the files of the secrets',
  tier: 'full',
  seconds: 40,
  limits: {
    'failed reads': exactly(0, 'reads'),
    'failed writes': exactly(0, 'writes'),
    'wrong answers': exactly(0, 'answers'),
    'data keys under a former key': exactly(0, 'keys'),
    'former keys that are still there': exactly(0, 'keys'),
    'values under a former data key': exactly(0, 'values'),
    'values under the newest data key': atLeast(2 * PEOPLE, 'values'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2', WORKER_PROCESSES: '0' } })
    const admin = await stack.database('admin')
    const here: Installation = { product: rig.product, dataDirectory: stack.dataDirectory }
    const secrets = (name: string): string => readFileSync(join(stack.dataDirectory, 'secrets', name), 'utf8').trim()
    const people: Keeper[] = []
    for (let i = 0; i < PEOPLE; i++) people.push(await makeKeeper(await stack.newcomer(), rig))
    const first = secrets('ENCRYPTION_KEY')
    const seen = { reads: 0, failedReads: 0, writes: 0, failedWrites: 0, wrong: 0, ended: false }
    const load = people.map((keeper) => useKeys(keeper, rig, seen))
    const said = []
    for (const args of [['rotate'], ['rotate'], ['rotate', '--data'], ['retire']])
      said.push(await keysOrThrow(here, args))
    seen.ended = true
    await Promise.all(load)
    const latecomers = await Promise.all(people.map(async ({ person }) => seeProviderKeys(await stack.signIn(person))))
    const [current = ''] = /[0-9a-f]{16}/.exec(said[1] ?? '') ?? []
    return {
      measured: {
        'failed reads': seen.failedReads + latecomers.filter((keys) => !keys?.length).length,
        'failed writes': seen.failedWrites,
        'wrong answers': seen.wrong,
        'data keys under a former key': await count(admin, `seaworthy.account_keys where ring_key <> '${current}'`),
        'former keys that are still there':
          (await count(admin, `seaworthy.ring_keys where id <> '${current}'`)) +
          secrets('ENCRYPTION_KEYS_OLD').split(',').filter(Boolean).length,
        'values under a former data key': await count(admin, `seaworthy.provider_keys where secret like 'sw1.1.%'`),
        'values under the newest data key': await count(admin, `seaworthy.provider_keys where secret like 'sw1.2.%'`),
      },
      met: {
        'the key in the file is another one': secrets('ENCRYPTION_KEY') !== first,
        'people read and wrote all the while': seen.reads > 200 && seen.writes > 20,
        'a new key was made, and then new data keys': /now/.test(said[0] ?? '') && /new data keys/.test(said[2] ?? ''),
      },
      evidence: [`${seen.reads} reads, ${seen.writes} writes`, ...said.map((text) => text.split('\n')[0] ?? '')],
    }
  },
  sabotages: [
    patch(
      'one table is forgotten',
      'packages/platform/src/vault/sealed-columns.ts',
      "table: 'seaworthy.provider_keys', column: 'secret', row: 'id'",
      "table: 'cosnap.photos', column: 'name', row: 'id'",
    ),
    patch(
      'a process never looks for keys that came after its start',
      'packages/platform/src/vault/key-ring.ts',
      `      if (found) return found
      load()`,
      '      if (found) return found',
    ),
    patch(
      'some data keys stay under the former key',
      'packages/platform/src/vault/rewrap.ts',
      'where ring_key <> ${by.id} order by id limit ${BATCH} for update',
      "where ring_key <> ${by.id} and purpose = 'seal' and version > 1 order by id limit ${BATCH} for update",
    ),
  ],
})

interface Keeper {
  readonly person: Person
  secret: string
}

async function makeKeeper(person: Person, rig: Rig): Promise<Keeper> {
  const secret = randomSecret(rig.random)
  await keepProviderKey(person, 'openai', secret)
  // Nobody writes this one again: only the rotation itself brings it under a new key.
  await keepProviderKey(person, 'quiet', secret)
  return { person, secret }
}

interface Seen {
  reads: number
  failedReads: number
  writes: number
  failedWrites: number
  wrong: number
  ended: boolean
}

/** Reads its key again and again, and changes it now and then, until told that it is over. */
async function useKeys(keeper: Keeper, rig: Rig, seen: Seen): Promise<void> {
  while (!seen.ended) {
    if (rig.random() < 0.1) await change(keeper, rig, seen)
    const keys = await seeProviderKeys(keeper.person)
    seen.reads++
    if (!keys) seen.failedReads++
    else if (keys[0]?.lastFour !== keeper.secret.slice(-4)) seen.wrong++
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function change(keeper: Keeper, rig: Rig, seen: Seen): Promise<void> {
  const secret = randomSecret(rig.random)
  seen.writes++
  try {
    await keepProviderKey(keeper.person, 'openai', secret)
    keeper.secret = secret
  } catch {
    seen.failedWrites++
  }
}

async function count(admin: DatabaseClient, what: string): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(`select count(*)::int as count from ${what}`)
  return rows[0]?.count ?? Number.NaN
}
