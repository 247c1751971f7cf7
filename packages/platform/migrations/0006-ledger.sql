-- Double entry: a line moves a whole number of credits from one book to another, so the sum over all books is always
-- zero. A balance is what its lines add up to; there is no column that holds one.
create table seaworthy.ledger (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete restrict,
  kind text not null check (kind in ('grant', 'hold', 'capture', 'release')),
  from_book text not null,
  to_book text not null,
  amount bigint not null check (amount > 0),
  -- What it was for: the first line with this reference and kind is the only one.
  reference text not null check (length(reference) between 1 and 120),
  hold_id uuid references seaworthy.ledger,
  created_at timestamptz not null default now(),
  constraint ledger_books check ((kind, from_book, to_book) in (
    ('grant', 'gifts', 'available'), ('hold', 'available', 'held'), ('capture', 'held', 'spent'), ('release', 'held', 'available'))),
  constraint ledger_settles check ((hold_id is not null) = (kind in ('capture', 'release')))
);
create unique index ledger_once on seaworthy.ledger (account_id, kind, reference);
-- A hold is captured or released, and once.
create unique index ledger_settled_once on seaworthy.ledger (hold_id) where hold_id is not null;
create index ledger_account on seaworthy.ledger (account_id, created_at desc, id desc);
call seaworthy.protect('seaworthy.ledger', :'app', 'account_id', 'select');

create function seaworthy.ledger_balance(account uuid, book text) returns bigint language sql stable
  return (select coalesce(sum(case when to_book = book then amount else 0 end - case when from_book = book then amount else 0 end), 0)
          from seaworthy.ledger where account_id = account and (to_book = book or from_book = book));

-- All writes of one account's ledger queue here: two holds can never both see the same credits.
create function seaworthy.ledger_lock(account uuid) returns void language plpgsql as $$
begin
  perform 1 from seaworthy.accounts where id = account for no key update;
  if not found then raise exception 'no account %', account; end if;
end $$;

create function seaworthy.ledger_grant(line uuid, account uuid, credits bigint, why text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  if not seaworthy.on_duty('identity') then raise exception 'credits are granted on duty only'; end if;
  perform seaworthy.ledger_lock(account);
  insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
  values (line, account, 'grant', 'gifts', 'available', credits, why)
  on conflict (account_id, kind, reference) do nothing;
end $$;

-- The id of the hold, or null when there are not enough credits. The same reference gives the same hold.
create function seaworthy.ledger_hold(line uuid, credits bigint, why text) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare
  account uuid := seaworthy.account_id();
  existing uuid;
begin
  perform seaworthy.ledger_lock(account);
  select id into existing from seaworthy.ledger where account_id = account and kind = 'hold' and reference = why;
  if found then return existing; end if;
  if seaworthy.ledger_balance(account, 'available') < credits then return null; end if;
  insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
  values (line, account, 'hold', 'available', 'held', credits, why);
  return line;
end $$;

-- Captures or releases a hold of the caller's account. True when this call settled it; false when it was settled before.
create function seaworthy.ledger_settle(line uuid, hold uuid, how text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
  account uuid := seaworthy.account_id();
  held seaworthy.ledger;
begin
  if how not in ('capture', 'release') then raise exception 'a hold is captured or released'; end if;
  perform seaworthy.ledger_lock(account);
  select * into held from seaworthy.ledger where id = hold and account_id = account and kind = 'hold';
  if not found then raise exception 'no hold % in this account', hold; end if;
  insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference, hold_id)
  values (line, account, how, 'held', case how when 'capture' then 'spent' else 'available' end, held.amount, held.reference, hold)
  on conflict do nothing;
  return found;
end $$;
revoke all on function seaworthy.ledger_lock(uuid), seaworthy.ledger_grant(uuid, uuid, bigint, text), seaworthy.ledger_hold(uuid, bigint, text), seaworthy.ledger_settle(uuid, uuid, text) from public;
grant execute on function seaworthy.ledger_grant(uuid, uuid, bigint, text), seaworthy.ledger_hold(uuid, bigint, text), seaworthy.ledger_settle(uuid, uuid, text) to :app;
