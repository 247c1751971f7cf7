create table seaworthy.users (
  id uuid primary key,
  email text not null check (length(email) between 3 and 254),
  password_hash text not null,
  operator boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index users_email on seaworthy.users (lower(email));

create table seaworthy.accounts (
  id uuid primary key,
  name text not null check (length(name) between 1 and 120),
  personal_user_id uuid unique references seaworthy.users on delete restrict,
  created_at timestamptz not null default now()
);

create table seaworthy.memberships (
  account_id uuid not null references seaworthy.accounts on delete cascade,
  user_id uuid not null references seaworthy.users on delete cascade,
  role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
  created_at timestamptz not null default now(),
  primary key (account_id, user_id)
);
create index memberships_user on seaworthy.memberships (user_id);

-- One row per sign-in. Keyed hashes of the refresh token and of the one before; an older one that comes back betrays a thief.
create table seaworthy.sessions (
  id uuid primary key,
  user_id uuid not null references seaworthy.users on delete cascade,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  refresh_hash bytea not null,
  previous_hash bytea,
  rotated_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_why text check (revoked_why in ('signed_out', 'reuse', 'ended')),
  network text not null,
  device text not null check (length(device) <= 200),
  created_at timestamptz not null default now()
);
create index sessions_user on seaworthy.sessions (user_id);
create index sessions_account on seaworthy.sessions (account_id);
create index sessions_revoked on seaworthy.sessions (revoked_at) where revoked_at is not null;
create index sessions_expires on seaworthy.sessions (expires_at);

-- The one-time link that makes the first operator.
create table seaworthy.operator_links (
  token_hash bytea primary key,
  expires_at timestamptz not null,
  used_at timestamptz,
  used_by uuid references seaworthy.users on delete set null
);
create index operator_links_user on seaworthy.operator_links (used_by);

do $$
declare t text;
begin
  foreach t in array array['users', 'accounts', 'memberships', 'sessions', 'operator_links'] loop
    execute format('alter table seaworthy.%I enable row level security', t);
    execute format('alter table seaworthy.%I force row level security', t);
    execute format('create policy identity on seaworthy.%I using ((select seaworthy.on_duty(''identity''))) with check ((select seaworthy.on_duty(''identity'')))', t);
    execute format('create policy owner on seaworthy.%I to current_user using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert on seaworthy.users, seaworthy.accounts, seaworthy.memberships, seaworthy.sessions, seaworthy.operator_links to :app;
grant update (password_hash, operator) on seaworthy.users to :app;
grant update (refresh_hash, previous_hash, rotated_at, expires_at, revoked_at, revoked_why) on seaworthy.sessions to :app;
grant delete on seaworthy.sessions to :app;
grant update (used_at, used_by) on seaworthy.operator_links to :app;
