-- An account that was erased and whose ledger has to stay: nobody's, with nothing of a person in it.
alter table seaworthy.accounts add column erased_at timestamptz;

-- Tables whose rows go when an account goes: every one with an `account_id`, but those whose foreign key to the accounts
-- says that they stay (`on delete restrict`: what was paid) and the audit, which holds ids that then are nobody's.
create function seaworthy.tables_of_accounts() returns setof regclass
language sql stable security definer set search_path = pg_catalog
begin atomic
  select c.oid::regclass from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and a.atttypid = 'uuid'::regtype and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition and c.oid <> 'seaworthy.audit'::regclass
    and c.relowner = (select r.oid from pg_roles r where r.rolname = current_user)
    and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
      and k.confrelid = 'seaworthy.accounts'::regclass and k.confdeltype in ('r', 'a'))
  order by 1;
end;

-- The accounts that are a person's alone: the personal one, and those that nobody else belongs to.
create function seaworthy.accounts_alone(person uuid) returns setof uuid
language sql stable security definer set search_path = pg_catalog
begin atomic
  select a.id from seaworthy.accounts a where a.personal_user_id = person
  union
  select m.account_id from seaworthy.memberships m where m.user_id = person
    and not exists (select 1 from seaworthy.memberships o where o.account_id = m.account_id and o.user_id <> person);
end;

-- Removes everything of a person and of these accounts, in one transaction. Safe to call again. Fails with `last owner`
-- when other people would be left in an account without an owner.
create function seaworthy.erase_person(person uuid, also uuid[]) returns uuid[]
language plpgsql security definer set search_path = pg_catalog as $$
declare
  gone uuid[];
  address text;
  pending regclass[] := array(select t from seaworthy.tables_of_accounts() t);
  again regclass[];
  target regclass;
  account uuid;
begin
  if not seaworthy.on_duty('identity') then raise exception 'people are erased on duty only'; end if;
  select lower(email) into address from seaworthy.users where id = person for update;
  gone := array(select a from seaworthy.accounts_alone(person) a union select unnest(also));
  if exists (select 1 from seaworthy.memberships m where m.user_id = person and m.role = 'owner' and m.account_id <> all (gone)
    and not exists (select 1 from seaworthy.memberships o where o.account_id = m.account_id and o.user_id <> person and o.role = 'owner'))
  then raise exception 'last owner' using errcode = 'SW001'; end if;
  -- Tables refer to each other: what cannot go yet is tried again after the others.
  while cardinality(pending) > 0 loop
    again := '{}';
    foreach target in array pending loop
      begin
        execute format('delete from %s where account_id = any ($1)', target) using gone;
      exception when foreign_key_violation or restrict_violation then
        again := again || target;
      end;
    end loop;
    if cardinality(again) = cardinality(pending) then raise exception 'these tables keep each other: %', again; end if;
    pending := again;
  end loop;
  update seaworthy.accounts set name = 'Erased', personal_user_id = null, erased_at = coalesce(erased_at, clock_timestamp())
  where id = any (gone);
  foreach account in array gone loop
    begin
      delete from seaworthy.accounts where id = account;
    exception when foreign_key_violation or restrict_violation then
      null; -- Its ledger stays.
    end;
  end loop;
  -- What names the person by address alone.
  delete from seaworthy.mail where lower(recipient) = address;
  delete from seaworthy.invitations where lower(email) = address;
  delete from seaworthy.users where id = person;
  return gone;
end $$;

-- Which of these people and accounts have come back, or never went: after an older database was restored.
create function seaworthy.people_left(people uuid[], theirs uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
  target regclass;
begin
  return query select u.id from seaworthy.users u where u.id = any (people);
  return query select a.id from seaworthy.accounts a where a.id = any (theirs) and a.erased_at is null;
  for target in select t from seaworthy.tables_of_accounts() t loop
    return query execute format('select distinct account_id from %s where account_id = any ($1)', target) using theirs;
  end loop;
end $$;

revoke all on function seaworthy.tables_of_accounts(), seaworthy.accounts_alone(uuid), seaworthy.erase_person(uuid, uuid[]), seaworthy.people_left(uuid[], uuid[]) from public;
grant execute on function seaworthy.tables_of_accounts(), seaworthy.accounts_alone(uuid), seaworthy.erase_person(uuid, uuid[]), seaworthy.people_left(uuid[], uuid[]) to :app;
