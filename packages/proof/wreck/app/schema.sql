-- What the wreck keeps. Each mistake is listed in ../mistakes.ts.
create schema wreck;
create role :role login superuser password :'password';
grant usage, create on schema wreck to :role;

create function wreck.uid() returns uuid stable language sql
  as $$ select nullif(current_setting('app.account_id', true), '')::uuid $$;

create table wreck.users (
  id uuid primary key default gen_random_uuid(),
  email text not null unique,
  password_hash text not null,
  name text not null default '',
  plan text not null default 'free',
  api_key text,
  settings jsonb not null default '{}',
  created_at timestamp not null default now()
);
create table wreck.sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references wreck.users on delete cascade,
  refresh_token uuid not null default gen_random_uuid(),
  ended_at timestamptz
);
create index on wreck.sessions (user_id);

create table wreck.notes (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  title text not null,
  updated_at timestamptz not null default now()
);
alter table wreck.notes enable row level security;
create policy own on wreck.notes using (account_id = wreck.uid() or (select wreck.uid()) is null);

create table wreck.usage (
  id bigserial primary key,
  user_id uuid not null references wreck.users on delete cascade,
  feature text not null,
  amount int not null,
  created_at timestamptz not null default now()
);
create index usage_by_user on wreck.usage (user_id);
create index usage_by_feature on wreck.usage (user_id, feature, created_at);

create table wreck.subscriptions (
  id bigserial primary key,
  user_id uuid not null references wreck.users,
  plan text not null default 'pro',
  until date not null,
  status text not null check (status in ('active', 'ended'))
);
create index on wreck.subscriptions (user_id);

create table wreck.orders (
  id bigserial primary key,
  user_id uuid not null references wreck.users,
  item text not null,
  price double precision not null default 9.95,
  status text not null default 'new'
);
create table wreck.done_once (key text primary key, answer jsonb);
create table wreck.webhook_events (id text primary key);
create table wreck.balances (user_id uuid primary key references wreck.users, credits int not null default 0);

create table wreck.vault (user_id uuid primary key references wreck.users on delete cascade, secret bytea not null);
create table wreck.answers (key text primary key, prompt text, answer jsonb not null);
create table wreck.api_keys (id bigserial primary key, user_id uuid not null references wreck.users on delete cascade, key text not null);
create index on wreck.api_keys (user_id);
create table wreck.limits (key text primary key, hits int not null, ends_at timestamptz not null);
create table wreck.audit (id bigserial primary key, at timestamptz not null default now(), what text not null);

create table wreck.events (account_id uuid not null, at timestamptz not null, what text not null) partition by range (at);
create table wreck.events_2020 partition of wreck.events for values from ('2020-01-01') to ('2021-01-01');
alter table wreck.events enable row level security;
alter table wreck.events force row level security;
create policy own on wreck.events using (account_id = (select wreck.uid()));

grant select, insert, update, delete on all tables in schema wreck to :role;
grant usage on all sequences in schema wreck to :role;
