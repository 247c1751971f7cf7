-- A change of what a session may do raises its version: access tokens of an older version are refused.
alter table seaworthy.sessions
  add column version integer not null default 0,
  add column changed_at timestamptz,
  add column authenticated_at timestamptz not null default now(),
  -- Whether the person showed more than a password.
  add column second_factor boolean not null default false;
alter table seaworthy.users add column blocked_at timestamptz;
grant update (blocked_at) on seaworthy.users to :app;
create index sessions_changed on seaworthy.sessions (changed_at) where changed_at is not null;
alter table seaworthy.sessions drop constraint sessions_revoked_why_check;
alter table seaworthy.sessions add constraint sessions_revoked_why_check
  check (revoked_why in ('signed_out', 'reuse', 'ended', 'ended_by_operator', 'password_changed', 'confirmed', 'too_many', 'blocked')) not valid;
grant update (account_id, version, changed_at, authenticated_at, second_factor) on seaworthy.sessions to :app;

-- Keys that sign access tokens. The private half is encrypted with a secret that the database does not have, and the
-- encryption vouches for the public half as well.
create table seaworthy.signing_keys (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{16}$'),
  public_key bytea not null,
  private_sealed bytea not null,
  created_at timestamptz not null default now()
);

-- Keys that programs call with. Only a hash is kept; the key itself is shown once.
create table seaworthy.api_keys (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  user_id uuid not null references seaworthy.users on delete cascade,
  name text not null check (length(name) between 1 and 80),
  hash bytea not null,
  hint text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  scopes text[] not null check (cardinality(scopes) between 1 and 50),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  last_network text,
  revoked_at timestamptz,
  changed_at timestamptz
);
create index api_keys_account on seaworthy.api_keys (account_id, id);
create index api_keys_user on seaworthy.api_keys (user_id);
create index api_keys_changed on seaworthy.api_keys (changed_at) where changed_at is not null;

do $$
declare t text;
begin
  foreach t in array array['signing_keys', 'api_keys'] loop
    execute format('alter table seaworthy.%I enable row level security', t);
    execute format('alter table seaworthy.%I force row level security', t);
    execute format('create policy identity on seaworthy.%I using ((select seaworthy.on_duty(''identity''))) with check ((select seaworthy.on_duty(''identity'')))', t);
    execute format('create policy owner on seaworthy.%I to current_user using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert, delete on seaworthy.signing_keys to :app;
grant select, insert on seaworthy.api_keys to :app;
grant update (last_used_at, last_network, revoked_at, changed_at) on seaworthy.api_keys to :app;
