import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { wrongFunction, wrongSql } from '../../sabotage.ts'

/** What somebody who speaks SQL as the app, for their own account, would try first. */
const attemptsOf = ({ accountId, userId }: Person): readonly string[] => [
  line('grant', 'gifts', 'available', 1_000, accountId),
  line('grant', 'gifts', 'available', -1_000, accountId),
  line('release', 'held', 'available', 1_000, accountId),
  `update seaworthy.ledger set amount = 1000000 where account_id = '${accountId}'`,
  `update seaworthy.ledger set kind = 'grant', from_book = 'gifts', to_book = 'available' where account_id = '${accountId}'`,
  `delete from seaworthy.ledger where account_id = '${accountId}' and kind in ('hold', 'capture')`,
  `select seaworthy.ledger_grant(gen_random_uuid(), '${accountId}', 1000, 'mine')`,
  `select seaworthy.ledger_hold(gen_random_uuid(), -1000, 'mine')`,
  `select 1 from seaworthy.ledger where kind = 'capture' and seaworthy.ledger_settle(gen_random_uuid(), hold_id, 'release')`,
  `update cosnap.runs set cost = 0`,
  `update cosnap.runs set account_id = account_id, created_at = now()`,
  `update seaworthy.memberships set role = 'owner' where user_id = '${userId}'`,
  `insert into seaworthy.memberships (account_id, user_id, role) select id, '${userId}', 'owner' from seaworthy.accounts`,
  `insert into seaworthy.memberships (account_id, user_id, role) values (gen_random_uuid(), '${userId}', 'owner')`,
  `update seaworthy.users set operator = true where id = '${userId}'`,
  `update seaworthy.users set password_hash = 'mine'`,
  `update seaworthy.sessions set account_id = gen_random_uuid(), revoked_at = null`,
  `update seaworthy.api_keys set revoked_at = null, role = 'admin'`,
  `insert into seaworthy.invitations (id, account_id, email, role, token_hash, expires_at) values (gen_random_uuid(), '${accountId}', 'me@example.com', 'admin', 'x', now())`,
  `update seaworthy.audit set user_id = null`,
  `delete from seaworthy.audit`,
  `update seaworthy.jobs set state = 'done'`,
  `delete from seaworthy.jobs`,
  `alter table seaworthy.ledger disable row level security`,
  `create policy mine on seaworthy.ledger using (true)`,
  `set role seaworthy_owner`,
  `set session authorization seaworthy_owner`,
]

const line = (kind: string, from: string, to: string, amount: number, account: string): string =>
  `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference) values (gen_random_uuid(), '${account}', '${kind}', '${from}', '${to}', ${amount}, 'mine')`

export const claim = defineClaim({
  id: 'TEN-04',
  says: "As the app's database role, nobody gives their own account credits, a role, or a past that did not happen",
  answers: ['D3', 'D5', 'I6', 'ASVS 8.3.1', 'ASVS 16.4.2'],
  witness: 'PostgreSQL, asked directly as an account that has credits, a photo and a paid effect',
  tier: 'full',
  seconds: 25,
  limits: {
    'statements that went through': exactly(0, 'statements'),
    'credits gained': exactly(0, 'credits'),
    'statements tried': atLeast(25, 'statements'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    await startRun(person, await uploadPhoto(person, await jpegPhoto(64, 48)))
    const [admin, app] = [await stack.database('admin'), await stack.database('app')]
    const before = await creditsOf(admin, person)
    await app.query(`set app.account_id = '${person.accountId}'; set app.user_id = '${person.userId}'`)
    const through: string[] = []
    const attempts = attemptsOf(person)
    for (const attempt of attempts) if (await goesThrough(app, attempt)) through.push(attempt)
    const read = await app.query('select 1 from seaworthy.ledger')
    return {
      measured: {
        'statements that went through': through.length,
        'credits gained': (await creditsOf(admin, person)) - before,
        'statements tried': attempts.length,
      },
      met: {
        'the account had credits': before > 0,
        'the role reads the ledger of its account': (read.rowCount ?? 0) >= 2,
      },
      evidence: through,
    }
  },
  sabotages: [
    wrongSql(
      "an account writes its own ledger, as one of the documents' policies lets it",
      `grant insert on seaworthy.ledger to seaworthy_app; create policy own_insert on seaworthy.ledger for insert to seaworthy_app with check (account_id = (select seaworthy.account_id()))`,
    ),
    wrongSql('what an effect costs can be changed', 'grant update on cosnap.runs to seaworthy_app'),
    wrongFunction(
      'credits are granted to whoever asks',
      'seaworthy.ledger_grant(uuid, uuid, bigint, text)',
      `if not seaworthy.on_duty('identity')`,
      'if false',
    ),
    wrongSql('the app may become the owner of the tables', 'grant seaworthy_owner to seaworthy_app with set true'),
  ],
})

/** Did something: changed a row, or was not refused where it gives none. Kept, so that credits show it too. */
async function goesThrough(app: DatabaseClient, statement: string): Promise<boolean> {
  try {
    const { command, rowCount } = await app.query(statement)
    if (command === 'SET') await app.query('reset role; reset session authorization')
    return rowCount !== 0
  } catch {
    return false
  }
}

async function creditsOf(admin: DatabaseClient, { accountId }: Person): Promise<number> {
  const { rows } = await admin.query<{ credits: number }>(
    `select seaworthy.ledger_balance($1, 'available')::int as credits`,
    [accountId],
  )
  return rows[0]?.credits ?? Number.NaN
}
