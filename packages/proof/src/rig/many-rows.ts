import type { DatabaseClient } from './database.ts'

const ACCOUNTS = 12_000
const PER_ACCOUNT = 7
/** Of those there are: more than a page. */
const PER_KNOWN_ACCOUNT = 60

/** As an installation has them that has run for three months: rows of thousands of accounts, and of those there are. */
const statements = [
  `create table public.theirs as
   select account_id, user_id, ${PER_KNOWN_ACCOUNT} as each from seaworthy.memberships union all select uuidv7(), uuidv7(), ${PER_ACCOUNT} from generate_series(1, ${ACCOUNTS})`,
  `create table public.made as
   select account_id, user_id, n, uuidv7(at) as photo, uuidv7(at) as run, uuidv7(at) as hold, uuidv7(at) as capture, uuidv7(at) as job,
     encode(sha256((account_id::text || n)::bytea), 'hex') as hash, now() + at as at
   from public.theirs, generate_series(1, each) n, lateral (select -interval '90 days' * random() as at where n > 0) times`,
  `insert into seaworthy.users (id, email, password_hash)
   select user_id, user_id || '@example.com', 'none' from public.theirs on conflict do nothing`,
  `insert into seaworthy.accounts (id, name, personal_user_id)
   select account_id, 'Personal', user_id from public.theirs on conflict do nothing`,
  `insert into seaworthy.memberships (account_id, user_id, role)
   select account_id, user_id, 'owner' from public.theirs on conflict do nothing`,
  `insert into seaworthy.sessions (id, user_id, account_id, refresh_hash, expires_at, network, device, rotated_at, revoked_at, revoked_why)
   select uuidv7(), user_id, account_id, sha256(run::text::bytea), at + interval '120 days', '203.0.113.0/24', 'a browser', at,
     case when n > 2 then at end, case when n > 2 then 'signed_out' end from public.made where n <= 6`,
  `insert into cosnap.photos (id, account_id, name, hash, type, bytes, width, height, created_at)
   select photo, account_id, 'boat.jpg', hash, 'image/jpeg', 1000, 64, 48, at from public.made`,
  `insert into cosnap.runs (id, account_id, photo_id, effect, strength, cost, state, job_id, hold_id, engine, result_hash, result_width, result_height, created_at, finished_at)
   select run, account_id, photo, 'noir', 60, 1, 'done', job, hold, 'proof', hash, 64, 48, at, at from public.made`,
  `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference, created_at)
   select uuidv7(interval '-91 days'), account_id, 'grant', 'gifts', 'available', 1000, 'proof', now() - interval '91 days' from public.theirs`,
  `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference, created_at)
   select hold, account_id, 'hold', 'available', 'held', 1, 'cosnap.run:' || run, at from public.made`,
  `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference, hold_id, created_at)
   select capture, account_id, 'capture', 'held', 'spent', 1, 'cosnap.run:' || run, hold, at from public.made`,
  `insert into seaworthy.jobs (id, account_id, task, state, turn, input, attempts_max, created_at, finished_at)
   select job, account_id, 'cosnap.apply-effect', 'done', 0, '{}', 3, at, now() from public.made`,
  `insert into seaworthy.blobs (account_id, hash, bytes, type, created_at)
   select account_id, hash, 1000, 'image/jpeg', at from public.made`,
  `insert into seaworthy.blob_references (account_id, hash, owner)
   select account_id, hash, 'cosnap.photo:' || photo from public.made`,
  `insert into seaworthy.events (account_id, channel, payload, created_at)
   select account_id, 'platform.jobs', jsonb_build_object('jobId', job, 'state', 'done'), now() - interval '20 minutes' from public.made`,
  `insert into seaworthy.idempotency (account_id, key, route, request_hash, status, reply)
   select account_id, 'key-' || n, '/api/cosnap/runs', sha256('x'), 202, '{"body":{}}' from public.made`,
  `insert into seaworthy.audit (id, account_id, user_id, kind, action, outcome, method, route, status, duration_ms, network, request_id, created_at)
   select uuidv7(at - now()), account_id, user_id, case when n % 5 = 0 then 'security' else 'change' end, 'cosnap.run', 'done', 'POST',
     '/api/cosnap/runs', 202, 5, '203.0.113.0/24', 'proof', at from public.made`,
  `insert into seaworthy.mail (id, recipient, subject, state, created_at, ended_at)
   select uuidv7(at - now()), user_id || '@example.com', 'Welcome', 'sent', now() - interval '5 days', now() - interval '5 days' from public.made where n <= 4`,
  `insert into seaworthy.one_time_links (token_hash, kind, user_id, email, created_at, expires_at)
   select sha256(photo::text::bytea), 'password_reset', user_id, user_id || '@example.com', now(), now() + interval '1 hour' from public.made where n <= 4`,
  'drop table public.theirs, public.made',
]

/** Fills the tables that people's requests read and change, past their triggers. How many rows there are now. */
export async function fillTables(admin: DatabaseClient): Promise<number> {
  await admin.query("set session_replication_role = replica; set synchronous_commit = off; set work_mem = '64MB'")
  for (const statement of statements) await admin.query(statement)
  await admin.query('reset all')
  // As autovacuum leaves them.
  await admin.query('vacuum (analyze)')
  const { rows } = await admin.query<{ rows: number }>(
    `select sum(reltuples)::int as rows from pg_class where relkind = 'r' and relnamespace in ('seaworthy'::regnamespace, 'cosnap'::regnamespace)`,
  )
  return rows[0]?.rows ?? 0
}
