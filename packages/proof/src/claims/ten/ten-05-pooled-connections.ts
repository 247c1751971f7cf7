import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 200
/** Signing up is dear on purpose. */
const AT_A_TIME = 10
const CONNECTIONS = 5
/** With the gift that everybody gets, a page full. */
const ROWS = 49
const ROUNDS = 11
const CANCEL_EVERY_MS = 50

export const claim = defineClaim({
  id: 'TEN-05',
  says: 'Two hundred people at once share five database connections, with errors and broken requests in between, and nobody sees a row of another',
  answers: ['I6', 'D2', 'ASVS 8.4.1'],
  witness: 'row-level security of PostgreSQL under load; each row carries its owner',
  tier: 'full',
  seconds: 40,
  limits: {
    'foreign rows read': exactly(0, 'rows'),
    'own rows missing': exactly(0, 'rows'),
    'foreign photos answered': exactly(0, 'answers'),
    'rows read': atLeast(100_000, 'rows'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { DB_POOL_MAX: String(CONNECTIONS), DB_WAIT_TIMEOUT: '30s' } })
    const admin = await stack.database()
    const people: Person[] = []
    while (people.length < PEOPLE)
      people.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => stack.newcomer()))))
    const photos = await giveRows(admin, people)
    const seen: Seen = { rows: 0, foreign: 0, missing: 0, answered: 0, refused: 0, brokenOff: 0, failed: 0 }
    const cancelling = cancelNowAndThen(admin)
    await Promise.all(
      people.map(async (person, index) => {
        for (let round = 0; round < ROUNDS; round++) {
          const other = (index + 1 + Math.floor(rig.random() * (PEOPLE - 1))) % PEOPLE
          const photo = photos[other] ?? ''
          if (round % 3) await askForeign(person, photo, seen)
          else await disturb(person, { photo, waitMs: rig.random() * 20, seen })
          await read(person, index, seen)
        }
      }),
    )
    const cancelled = await cancelling.stop()
    return {
      measured: {
        'foreign rows read': seen.foreign,
        'own rows missing': seen.missing,
        'foreign photos answered': seen.answered,
        'rows read': seen.rows,
      },
      met: {
        'people asked for missing things': seen.refused > PEOPLE,
        'requests were broken off': seen.brokenOff > PEOPLE,
        'statements were cancelled by the database': cancelled > 0,
      },
      evidence: [JSON.stringify(seen), `${cancelled} statements cancelled`],
    }
  },
  sabotages: [
    patch(
      'a connection keeps the account that it served first',
      'packages/platform/src/data/database.ts',
      'within(callerScope(caller), work, options)',
      "within(callerScope(caller).replace(/^set local app.account_id = ('[^']*')/, \"select set_config('app.account_id', coalesce(nullif(current_setting('app.account_id', true), ''), $1), false)\"), work, options)",
    ),
  ],
})

interface Seen {
  rows: number
  foreign: number
  missing: number
  answered: number
  refused: number
  brokenOff: number
  failed: number
}

/** A gift of this size belongs to the person with this number, and to nobody else. */
const markOf = (index: number): number => 1_000 + index

/** Gifts and a photo for each, whose ids come back in the order of the people. */
async function giveRows(admin: DatabaseClient, people: readonly Person[]): Promise<string[]> {
  const accounts = people.map((person) => person.accountId)
  await admin.query(
    `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
     select gen_random_uuid(), account, 'grant', 'gifts', 'available', ${markOf(0)} + number - 1, 'proof ' || i
     from unnest($1::uuid[]) with ordinality as people (account, number), generate_series(1, ${ROWS}) as i`,
    [accounts],
  )
  const { rows } = await admin.query<{ id: string }>(
    `insert into cosnap.photos (id, account_id, name, hash, type, bytes, width, height)
     select gen_random_uuid(), account, 'boat', repeat('a', 64), 'image/jpeg', 1, 1, 1 from unnest($1::uuid[]) as account returning id`,
    [accounts],
  )
  return rows.map(({ id }) => id)
}

async function askForeign(person: Person, photo: string, seen: Seen): Promise<void> {
  const foreign = await person.fetch(`/api/cosnap/photos/${photo}`)
  await foreign.arrayBuffer()
  if (foreign.ok) seen.answered++
}

/** Fails within a transaction that writes, and breaks a request off. */
async function disturb(
  person: Person,
  { photo, waitMs, seen }: { readonly photo: string; readonly waitMs: number; readonly seen: Seen },
): Promise<void> {
  const body = jsonBody({ photoId: photo, effect: 'noir', strength: 1 }, { 'idempotency-key': `proof-${photo}` })
  const refused = await person.fetch('/api/cosnap/runs', body)
  await refused.arrayBuffer()
  if (refused.status === 404) seen.refused++
  await person
    .fetch('/api/cosnap/photos', { signal: AbortSignal.timeout(Math.ceil(waitMs)) })
    .then((response) => response.arrayBuffer())
    .catch(() => seen.brokenOff++)
}

async function read(person: Person, index: number, seen: Seen): Promise<void> {
  const response = await person.fetch('/api/cosnap/credits?limit=50')
  const { items = [] } = (await response.json()) as { items?: { amount: number; what: string }[] }
  // Its statement was cancelled.
  if (!response.ok) return void seen.failed++
  const own = items.filter(({ amount }) => amount === markOf(index)).length
  seen.rows += items.length
  seen.missing += ROWS - own
  // Besides the gift that everybody gets.
  seen.foreign += items.length - own - 1
}

/** Cancels a statement of the product's, whichever runs, again and again. */
function cancelNowAndThen(admin: DatabaseClient): { stop(): Promise<number> } {
  let stopped = false
  const loop = async (): Promise<number> => {
    let cancelled = 0
    while (!stopped) {
      const { rowCount } = await admin.query(
        `select pg_cancel_backend(pid) from pg_stat_activity where usename = 'seaworthy_app' and state = 'active' order by random() limit 1`,
      )
      cancelled += rowCount ?? 0
      await new Promise((resolve) => setTimeout(resolve, CANCEL_EVERY_MS))
    }
    return cancelled
  }
  const cancelled = loop()
  return {
    stop: () => {
      stopped = true
      return cancelled
    },
  }
}
