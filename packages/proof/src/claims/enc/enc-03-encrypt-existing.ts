import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { type Installation, keepKeys, keysOrThrow } from '../../rig/keys.ts'
import { insertClearPhotos, readNames } from '../../rig/many-photos.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const HALF = 20_000
/** The first half is sealed in parts, and the quickest counts: the others say how busy the machine was. */
const PARTS = 4
/** The run that is killed is slowed down, so that its middle is easy to hit. */
const SLOW = '4000'

export const claim = defineClaim({
  id: 'ENC-03',
  says: 'Names that an earlier release stored in clear are sealed while the product runs, at 10,000 rows a second or more; killed in the middle and run again, every name was readable at every moment, and at the end all are sealed, once',
  answers: ['E3', 'ASVS 11.3.2'],
  witness: 'kill -9, and every name read through the API all the while',
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'pages refused while it ran': exactly(0, 'pages'),
    'wrong names while it ran': exactly(0, 'names'),
    'names left in clear': exactly(0, 'names'),
    'wrong names at the end': exactly(0, 'names'),
    'rows sealed in a second': atLeast(10_000, 'rows'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const person = await stack.newcomer()
    const admin = await stack.database('admin')
    const here: Installation = { product: rig.product, dataDirectory: stack.dataDirectory }
    const rates = []
    for (let part = 1; part <= PARTS; part++) {
      await insertClearPhotos(admin, person.accountId, HALF / PARTS, `first-#${part}.jpg`)
      rates.push(rateOf(await keysOrThrow(here, ['encrypt-existing', '--rate', '1000000'])))
    }
    await insertClearPhotos(admin, person.accountId, HALF, 'second-#.jpg')
    await admin.query('alter table cosnap.photos add column expected text')
    await admin.query(`update cosnap.photos set expected = name where name not like 'sw1.%'`)
    const seen = { reads: 0, refused: 0, wrong: 0, ended: false }
    const expected = await namesOf(admin, 'expected')
    const reader = (async () => {
      while (!seen.ended) {
        const { names, failed } = await readNames(person, () => seen.ended)
        seen.reads += names.size
        seen.refused += failed ? 1 : 0
        seen.wrong += wrongNames(names, expected)
      }
    })()
    const killed = keepKeys(here, ['encrypt-existing', '--rate', SLOW])
    await until('a part is sealed', async () => (await clearRows(admin)) < HALF - 1_000, 30_000)
    await killed.signal('SIGKILL')
    await killed.exited
    const leftByKill = await clearRows(admin)
    await keysOrThrow(here, ['encrypt-existing'])
    seen.ended = true
    await reader
    const final = await readNames(person)
    return {
      measured: {
        'pages refused while it ran': seen.refused,
        'wrong names while it ran': seen.wrong,
        'names left in clear': await clearRows(admin),
        'wrong names at the end': wrongNames(final.names, expected) + (2 * HALF - final.names.size),
        'rows sealed in a second': Math.max(...rates),
      },
      met: {
        'it was killed in the middle': leftByKill > 0 && leftByKill < HALF,
        'names were asked for while it ran': seen.reads > 1_000 || seen.refused > 10,
      },
      evidence: [
        `${rates.join(', ')} rows in a second`,
        `${leftByKill} in clear after the kill`,
        `${seen.reads} names read meanwhile`,
      ],
    }
  },
  sabotages: [
    patch(
      'what is sealed is sealed again',
      'packages/platform/src/vault/refresh.ts',
      'if (!isSealed(value)) return sealWith(newest, place, value)',
      'if (!isSealed(value) || row > "8") return sealWith(newest, place, value)',
    ),
    patch(
      'a run ends after its first rows',
      'packages/platform/src/vault/refresh.ts',
      'if (!last) break',
      'if (!last || total.sealed > 4_000) break',
    ),
    patch(
      'names from before cannot be read any more',
      'packages/platform/src/vault/vault.ts',
      '(isSealed(stored) ? open(tx, place, stored) : Promise.resolve(stored))',
      '(isSealed(stored) || stored ? open(tx, place, stored) : Promise.resolve(stored))',
    ),
  ],
})

/** From `name: 10000 values, 10000 were clear ...` and `(0.8 s)`. */
function rateOf(output: string): number {
  const rows = Number(/photos\.name: \d+ values, (\d+)/.exec(output)?.[1] ?? 0)
  const seconds = Number(/\((\d+\.\d+) s\)/.exec(output)?.[1] ?? Number.NaN)
  return Math.round(rows / seconds)
}

async function clearRows(admin: DatabaseClient): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from cosnap.photos where name not like 'sw1.%'`,
  )
  return rows[0]?.count ?? Number.NaN
}

async function namesOf(admin: DatabaseClient, column: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await admin.query<{ id: string; name: string | null }>(
    `select id, ${column} as name from cosnap.photos`,
  )
  return new Map(rows.flatMap((row) => (row.name ? [[row.id, row.name] as const] : [])))
}

/** A name that is not what was stored; of those that were sealed before, one that is not a name at all. */
const wrongNames = (names: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): number =>
  [...names].filter(([id, name]) => (expected.has(id) ? name !== expected.get(id) : !/^first-\d+\.jpg$/.test(name)))
    .length
