import { defineClaim, exactly } from '../../claim.ts'
import { OTHER_PURPOSE, PURPOSE, putAskingApp, VERSION, WORDS } from '../../rig/asking-app.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { makeOwnCopy } from '../../rig/own-copy.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { until } from '../../rig/wait.ts'
import { readZip } from '../../rig/zip.ts'
import { patch } from '../../sabotage.ts'

const AT_ONCE = 12
const guard = 'packages/platform/src/consent/guard.ts'

export const claim = defineClaim({
  id: 'ENC-11',
  says: 'What an app may do with consent only, it does only for accounts that agreed to the words of this release and have not taken it back; each decision is one record that nobody changes, is given out, and goes with the account',
  answers: ['G14', 'ASVS 14.2.3'],
  witness: 'an app of a stranger beside Cosnap, rows of PostgreSQL, the role of the app',
  tier: 'full',
  seconds: 20,
  limits: {
    'uses without consent': exactly(0, 'uses'),
    'refusals that do not name what to ask for': exactly(0, 'refusals'),
    'uses with consent that were refused': exactly(0, 'uses'),
    'consents taken to words that were not shown': exactly(0, 'consents'),
    'decisions that are not one true record and one line of the audit': exactly(0, 'decisions'),
    'records that the role of the app could change, remove or forge': exactly(0, 'ways'),
    'records missing from the export': exactly(0, 'records'),
    'records left after the erasure': exactly(0, 'records'),
  },
  experiment: async (rig) => {
    const copy = makeOwnCopy(rig)
    putAskingApp(copy)
    const stack = await copy.launch({ WORKER_PROCESSES: '0' })
    await stack.ready()
    const [person, stranger] = [await stack.newcomer(), await stack.newcomer()]
    const admin = await stack.database('admin')
    const before = await uses(person, stranger)
    await agreeEarlier(admin, person)
    const earlier = await use(person)
    const unseen = [await give(person, VERSION - 1), await give(person, VERSION + 1)]
    await give(person, 1, OTHER_PURPOSE)
    const other = await uses(person, stranger)
    await Promise.all(Array.from({ length: AT_ONCE }, () => give(person)))
    const agreed = await use(person)
    const notTheirs = await use(stranger)
    await ask(person, `/api/privacy/consents/${PURPOSE}`, { method: 'DELETE' })
    const withdrawn = await use(person)
    await give(person)
    const again = await use(person)
    const records = await wrongRecords(admin, person)
    const ways = await waysToChange(await stack.database('app'), person, stranger)
    const exported = await exportedOf(person)
    await ask(person, '/api/privacy/erase', jsonBody({ password: person.password, confirm: 'erase everything' }))
    const { rows } = await admin.query('select 1 from seaworthy.consents')
    const mustFail = [...before, ...other, notTheirs, withdrawn, earlier]
    const allowed = [agreed, again]
    return {
      measured: {
        'uses without consent': mustFail.filter(({ status }) => status === 200).length,
        'refusals that do not name what to ask for': mustFail.filter(isUnclear).length,
        'uses with consent that were refused': allowed.filter(({ status }) => status !== 200).length,
        'consents taken to words that were not shown': unseen.filter((status) => status < 400).length,
        'decisions that are not one true record and one line of the audit': records.wrong.length,
        'records that the role of the app could change, remove or forge': ways.open.length,
        'records missing from the export': DECISIONS - exported,
        'records left after the erasure': rows.length,
      },
      met: {
        'there were seven uses that had to be refused': mustFail.length === 7,
        'there were records that could have been changed': records.count >= DECISIONS - 1,
        'the role of the app was asked for all of it': ways.tried === 5,
      },
      evidence: [...records.wrong, ...ways.open, `${records.count} records, ${exported} exported`],
    }
  },
  sabotages: [
    patch('what was taken back still counts', guard, 'newest?.given === true', 'newest !== undefined'),
    patch('agreeing to earlier words counts', guard, '&& newest.version === version', '&& version > 0'),
    patch(
      'nobody asks which words were shown',
      'packages/platform/src/consent/decisions.ts',
      'if (version !== consent.version)',
      'if (version < 0)',
    ),
    patch(
      'decisions at the same moment do not wait for each other',
      'packages/platform/src/consent/decisions.ts',
      'pg_advisory_xact_lock(hashtextextended(',
      'pg_typeof(hashtextextended(',
    ),
    patch(
      'the app may remove records',
      'packages/platform/migrations/0020-consents.sql',
      'grant select, insert on',
      'create policy remove on seaworthy.consents for delete to :app using (account_id = (select seaworthy.account_id()));\ngrant select, insert, delete on',
    ),
    patch(
      'the export leaves them out',
      'packages/platform/src/privacy/export.ts',
      'from seaworthy.consents where user_id = ${userId} or account_id = any (${accountIds}::uuid[])',
      'from seaworthy.consents where user_id is null',
    ),
  ],
})

/** To earlier words, to another purpose, and to this one twice with a withdrawal in between. */
const DECISIONS = 5

interface Used {
  readonly status: number
  readonly code?: string
  readonly fields?: readonly { readonly path: string; readonly message: string }[]
}

async function use(person: Person): Promise<Used> {
  const answer = await ask(person, '/api/notes/send', { method: 'POST' })
  const body = (await answer.json()) as Used & { readonly sent?: boolean }
  return body.sent ? { status: 200 } : body
}

const uses = async (...people: Person[]): Promise<Used[]> => Promise.all(people.map(use))

const isUnclear = ({ status, code, fields }: Used): boolean =>
  status !== 403 || code !== 'consent_required' || fields?.[0]?.message !== PURPOSE

async function give(person: Person, version = VERSION, purpose = PURPOSE): Promise<number> {
  return (await ask(person, `/api/privacy/consents/${purpose}`, jsonBody({ version }, {}, 'PUT'))).status
}

/** Again where a busy machine makes the service refuse for a moment. */
const ask = (person: Person, path: string, init: RequestInit): Promise<Response> =>
  until('the service has room', async () => {
    const answer = await person.fetch(path, init)
    return answer.status !== 503 && answer
  })

const EARLIER = 'Earlier words.'

/** The record that the release before wrote. */
const agreeEarlier = (admin: DatabaseClient, { accountId, userId }: Person) =>
  admin.query(
    `insert into seaworthy.consents (id, account_id, user_id, purpose, version, text, given, how, request_id)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, true, 'page', 'earlier')`,
    [accountId, userId, PURPOSE, VERSION - 1, EARLIER],
  )

/** Who, of which account, to what, in which words, by which request; and that the audit knows of that request. */
async function wrongRecords(admin: DatabaseClient, person: Person) {
  const { rows } = await admin.query<Record<string, unknown>>(
    `select c.*, (select count(*)::int from seaworthy.audit a where a.request_id = c.request_id and a.user_id = c.user_id
       and a.action = case when c.given then 'consent_give' else 'consent_withdraw' end) as lines
     from seaworthy.consents c where version > 1 or purpose <> '${PURPOSE}' order by seq`,
  )
  const wanted = [
    [OTHER_PURPOSE, true, 'Notes are learned from.', 1],
    [PURPOSE, true, WORDS, VERSION],
    [PURPOSE, false, WORDS, VERSION],
    [PURPOSE, true, WORDS, VERSION],
  ]
  const isTrue = (i: number): boolean => {
    const row = rows[i]
    const said = row && [row.purpose, row.given, row.text, row.version, row.account_id, row.user_id, row.lines]
    return JSON.stringify(said) === JSON.stringify([...(wanted[i] ?? []), person.accountId, person.userId, 1])
  }
  const wrong = [...Array(Math.max(rows.length, wanted.length)).keys()].filter((i) => !isTrue(i))
  return { count: rows.length, wrong: wrong.map((i) => `record ${i}: ${JSON.stringify(rows[i])}`) }
}

/** As the role of the app, in the account of the person: whatever a mistake in the code could ask for. */
async function waysToChange(app: DatabaseClient, person: Person, stranger: Person) {
  const forge = (accountId: string, userId: string): string =>
    `insert into seaworthy.consents (id, account_id, user_id, purpose, version, text, given, how, request_id)
     values (gen_random_uuid(), '${accountId}', '${userId}', '${PURPOSE}', 1, 'x', true, 'page', 'x')`
  const statements = [
    'update seaworthy.consents set given = true',
    'delete from seaworthy.consents',
    'truncate seaworthy.consents',
    forge(stranger.accountId, person.userId),
    forge(person.accountId, stranger.userId),
  ]
  const open: string[] = []
  for (const statement of statements) {
    await app.query(
      `begin; set local app.account_id = '${person.accountId}'; set local app.user_id = '${person.userId}'`,
    )
    const done = await app.query(statement).catch(() => undefined)
    if (done) open.push(statement)
    await app.query('rollback')
  }
  return { tried: statements.length, open }
}

async function exportedOf(person: Person): Promise<number> {
  const response = await ask(person, '/api/privacy/export', jsonBody({ password: person.password }))
  const zip = readZip(Buffer.from(await response.arrayBuffer()))
  return zip.get('data/consents.jsonl')?.toString('utf8').split('\n').filter(Boolean).length ?? 0
}
