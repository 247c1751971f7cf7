-- Keys of the ring by their fingerprints: the keys themselves are never here. A start without one of them is refused.
create table seaworthy.ring_keys (
  id text primary key check (id ~ '^[0-9a-f]{16}$'),
  created_at timestamptz not null default now()
);
alter table seaworthy.ring_keys enable row level security;
alter table seaworthy.ring_keys force row level security;
create policy look on seaworthy.ring_keys for select to :app using (true);
create policy owner on seaworthy.ring_keys to current_user using (true) with check (true);
grant select on seaworthy.ring_keys to :app;

-- Data keys, each wrapped by a key of the ring: of an account, of a user, or of the installation (both null).
-- The foreign key is what makes retiring a key safe: while anything is wrapped by it, it cannot be removed, and once
-- it is removed nothing can be wrapped by it, whatever a process still has in memory.
create table seaworthy.account_keys (
  id uuid primary key,
  account_id uuid references seaworthy.accounts on delete cascade,
  user_id uuid references seaworthy.users on delete cascade,
  purpose text not null check (purpose in ('seal', 'index')),
  version integer not null check (version between 1 and 9999),
  ring_key text not null references seaworthy.ring_keys on delete restrict,
  wrapped text not null check (wrapped like 'swk1.%'),
  created_at timestamptz not null default now(),
  constraint account_keys_one_owner check (account_id is null or user_id is null)
);
create unique index account_keys_version on seaworthy.account_keys (account_id, user_id, purpose, version) nulls not distinct;
create index account_keys_user on seaworthy.account_keys (user_id);
create index account_keys_ring on seaworthy.account_keys (ring_key);
alter table seaworthy.account_keys enable row level security;
alter table seaworthy.account_keys force row level security;
-- A key is made by whoever seals first. Nobody changes one; an erased owner's are deleted on duty, and with them what
-- they sealed. Keys of the installation are for its own duties.
create policy account on seaworthy.account_keys for select to :app using (account_id = (select seaworthy.account_id()));
create policy account_insert on seaworthy.account_keys for insert to :app with check (account_id = (select seaworthy.account_id()));
create policy person on seaworthy.account_keys for select to :app using (user_id = (select seaworthy.user_id()));
create policy person_insert on seaworthy.account_keys for insert to :app with check (user_id = (select seaworthy.user_id()));
create policy identity on seaworthy.account_keys to :app using ((select seaworthy.on_duty('identity'))) with check ((select seaworthy.on_duty('identity')));
create policy owner on seaworthy.account_keys to current_user using (true) with check (true);
grant select, insert, delete on seaworthy.account_keys to :app;
