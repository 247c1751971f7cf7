-- When somebody opened a recovery kit that holds this key. Until then losing the key loses what it seals.
alter table seaworthy.ring_keys add column kit_verified_at timestamptz;

-- Keys of an account at providers, such as its own OpenAI key. Sealed: clear text cannot even be stored.
create table seaworthy.provider_keys (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  name text not null check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
  secret text not null check (secret like 'sw1.%'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint provider_keys_name unique (account_id, name)
);
call seaworthy.protect('seaworthy.provider_keys', :'app', 'account_id', 'select, insert, delete');
grant update (secret, updated_at) on seaworthy.provider_keys to :app;
