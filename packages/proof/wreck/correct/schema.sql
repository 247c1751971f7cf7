create schema shop;
create role :role login password :'password';
grant usage on schema shop to :role;

create table shop.people (
  id uuid primary key default gen_random_uuid(),
  email text not null unique check (email = lower(email)),
  password_hash text not null,
  name text not null default '',
  plan text not null default 'free' check (plan in ('free', 'pro')),
  provider_key bytea,
  credits int not null default 0,
  created_at timestamptz not null default now()
);
create table shop.sessions (
  token_hash text primary key,
  person_id uuid not null references shop.people on delete cascade,
  ends_at timestamptz not null
);
create index on shop.sessions (person_id);

create table shop.notes (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references shop.people on delete cascade,
  title text not null,
  updated_at timestamptz not null default now()
);
create index on shop.notes (account_id);
alter table shop.notes enable row level security;
alter table shop.notes force row level security;
create policy own on shop.notes using (account_id = (select nullif(current_setting('shop.person', true), '')::uuid));

create table shop.usage (
  id bigserial primary key,
  person_id uuid not null references shop.people,
  amount int not null check (amount > 0),
  idempotency_key text not null,
  unique (person_id, idempotency_key)
);
create table shop.payment_events (id text primary key, at timestamptz not null default now());
create table shop.api_keys (key_hash text primary key, person_id uuid not null references shop.people on delete cascade);
create index on shop.api_keys (person_id);
create table shop.limits (key text primary key, hits int not null, ends_at timestamptz not null);
create table shop.audit (id bigserial primary key, at timestamptz not null default now(), what text not null);

grant select, insert, update, delete on all tables in schema shop to :role;
revoke update, delete on shop.audit from :role;
grant usage on all sequences in schema shop to :role;
