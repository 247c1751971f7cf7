-- An authenticator app: one per person. The secret is sealed; `last_step` is the newest half minute whose code was used.
create table seaworthy.totp (
  user_id uuid primary key references seaworthy.users on delete cascade,
  secret text not null check (secret like 'sw1.%'),
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  failures integer not null default 0,
  failed_at timestamptz,
  created_at timestamptz not null default now()
);

-- For whoever loses the app: keyed hashes, each good once.
create table seaworthy.recovery_codes (
  user_id uuid not null references seaworthy.users on delete cascade,
  hash bytea not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

create table seaworthy.passkeys (
  -- The authenticator's own name for it.
  id text primary key check (length(id) between 1 and 1400),
  user_id uuid not null references seaworthy.users on delete cascade,
  name text not null check (length(name) between 1 and 80),
  public_key bytea not null,
  -- Counts uses, where the authenticator counts: one that goes back was copied.
  counter bigint not null default 0,
  transports text[] not null default '{}',
  backed_up boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkeys_user on seaworthy.passkeys (user_id, created_at);

-- What a sign-in or an enrolment waits for: good once, for minutes. Only a hash of its name is kept.
create table seaworthy.challenges (
  hash bytea primary key,
  kind text not null check (kind in ('second_factor', 'passkey_enrol', 'passkey_sign_in')),
  user_id uuid references seaworthy.users on delete cascade,
  value text not null default '',
  tries integer not null default 0,
  expires_at timestamptz not null,
  created_at timestamptz not null default now()
);
create index challenges_user on seaworthy.challenges (user_id);
create index challenges_expires on seaworthy.challenges (expires_at);

do $$
declare t text;
begin
  foreach t in array array['totp', 'recovery_codes', 'passkeys', 'challenges'] loop
    execute format('alter table seaworthy.%I enable row level security', t);
    execute format('alter table seaworthy.%I force row level security', t);
    execute format('create policy identity on seaworthy.%I using ((select seaworthy.on_duty(''identity''))) with check ((select seaworthy.on_duty(''identity'')))', t);
    execute format('create policy owner on seaworthy.%I to current_user using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert, delete on seaworthy.totp, seaworthy.recovery_codes, seaworthy.passkeys, seaworthy.challenges to :app;
grant update (secret, confirmed_at, last_step, failures, failed_at) on seaworthy.totp to :app;
grant update (used_at) on seaworthy.recovery_codes to :app;
grant update (counter, last_used_at, name) on seaworthy.passkeys to :app;
grant update (tries) on seaworthy.challenges to :app;
