-- Accounts of several people. Who made one, so that nobody makes them without end.
alter table seaworthy.accounts add column made_by uuid references seaworthy.users on delete set null;
create index accounts_made_by on seaworthy.accounts (made_by);
grant update (name) on seaworthy.accounts to :app;
grant update (role), delete on seaworthy.memberships to :app;

-- A personal account is one person's for ever, whatever the code around it believes.
create function seaworthy.keep_personal() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if exists (select 1 from seaworthy.accounts where id = new.account_id and personal_user_id <> new.user_id) then
    raise exception 'a personal account has one member' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger keep_personal before insert or update on seaworthy.memberships
  for each row execute function seaworthy.keep_personal();

-- Only a hash of the link is kept. It works once, for one address, until it expires or is revoked.
create table seaworthy.invitations (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  email text not null check (length(email) between 3 and 254),
  role text not null check (role in ('viewer', 'member', 'admin')),
  token_hash bytea not null unique,
  invited_by uuid references seaworthy.users on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid references seaworthy.users on delete set null,
  revoked_at timestamptz
);
create unique index invitations_open on seaworthy.invitations (account_id, lower(email)) where accepted_at is null and revoked_at is null;
create index invitations_account on seaworthy.invitations (account_id, created_at);
create index invitations_inviter on seaworthy.invitations (invited_by, created_at);
create index invitations_accepted_by on seaworthy.invitations (accepted_by);
create index invitations_expires on seaworthy.invitations (expires_at);
alter table seaworthy.invitations enable row level security;
alter table seaworthy.invitations force row level security;
create policy identity on seaworthy.invitations using ((select seaworthy.on_duty('identity'))) with check ((select seaworthy.on_duty('identity')));
create policy owner on seaworthy.invitations to current_user using (true) with check (true);
grant select, insert, delete, update (accepted_at, accepted_by, revoked_at) on seaworthy.invitations to :app;

-- A stored answer belongs to its account and key for ever; only the answer itself is filled in.
-- allow drop: the two columns that releases write are granted below, in the same transaction
revoke update on seaworthy.idempotency from :app;
grant update (status, reply) on seaworthy.idempotency to :app;

-- Updates are granted by column, so what names an owner never changes by mistake: `privileges` leaves them out unless told.
create or replace procedure seaworthy.protect(target regclass, app_role text, account_column text default 'account_id', privileges text default 'select, insert, delete')
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy account on %s to %I using (%I = (select seaworthy.account_id())) with check (%I = (select seaworthy.account_id()))', target, app_role, account_column, account_column);
  execute format('create policy janitor on %s for select to %I using ((select seaworthy.on_duty(''janitor'')))', target, app_role);
  execute format('create policy owner on %s to current_user using (true) with check (true)', target);
  execute format('grant %s on %s to %I', privileges, target, app_role);
end $$;

-- A line of the audit names the account that writes it, or none; only duties write for accounts they do not work in.
alter policy append on seaworthy.audit with check (
  (select seaworthy.account_id()) is null or account_id is null or account_id = (select seaworthy.account_id())
  or (select seaworthy.on_duty('operations')));
