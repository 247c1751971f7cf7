-- Answers of AI engines, kept per account and sealed; who is asking right now; what was spent and is set aside; what was used.
create table seaworthy.ai_answers (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  task text not null check (length(task) between 3 and 80),
  -- A blind index over everything that was asked: without the account's key nobody can try guesses against it.
  question text not null check (length(question) between 16 and 64),
  engine text not null check (length(engine) between 1 and 40),
  model text not null check (length(model) <= 120),
  -- Sealed: clear text cannot even be stored.
  answer text not null check (answer like 'sw1.%'),
  money bigint not null check (money >= 0),
  ms integer not null check (ms >= 0),
  hits bigint not null default 0 check (hits >= 0),
  created_at timestamptz not null default now(),
  -- From then on it is asked anew, and this one is given only while no engine answers; never after it has expired.
  fresh_until timestamptz not null,
  expires_at timestamptz not null,
  constraint ai_answers_question unique (account_id, question)
);
create index ai_answers_expires on seaworthy.ai_answers (expires_at);
call seaworthy.protect('seaworthy.ai_answers', :'app', 'account_id', 'select, insert, delete');
grant update (hits) on seaworthy.ai_answers to :app;
create policy janitor_delete on seaworthy.ai_answers for delete to :app using ((select seaworthy.on_duty('janitor')));
create policy operations on seaworthy.ai_answers for select to :app using ((select seaworthy.on_duty('operations')));

-- One call asks for all who ask the same, in whichever process. Whoever stops saying that it lives is replaced.
create table seaworthy.ai_flights (
  account_id uuid not null references seaworthy.accounts on delete cascade,
  question text not null check (length(question) between 16 and 64),
  call uuid not null,
  expires_at timestamptz not null,
  primary key (account_id, question)
);
create index ai_flights_call on seaworthy.ai_flights (call);
create index ai_flights_expires on seaworthy.ai_flights (expires_at);
call seaworthy.protect('seaworthy.ai_flights', :'app', 'account_id', 'select, insert, delete');
grant update (call, expires_at) on seaworthy.ai_flights to :app;
create policy janitor_delete on seaworthy.ai_flights for delete to :app using ((select seaworthy.on_duty('janitor')));

-- What a scope (an account, an app, a task of an account) has spent on a day in UTC, and what calls under way may still
-- spend. Money in millionths of a dollar. Only the functions below write here.
create table seaworthy.ai_budgets (
  day date not null,
  scope text not null check (length(scope) between 5 and 160),
  -- Null for what all accounts spend together.
  account_id uuid references seaworthy.accounts on delete cascade,
  money_spent bigint not null default 0 check (money_spent >= 0),
  money_held bigint not null default 0 check (money_held >= 0),
  tokens_spent bigint not null default 0 check (tokens_spent >= 0),
  tokens_held bigint not null default 0 check (tokens_held >= 0),
  primary key (day, scope)
);
create index ai_budgets_account on seaworthy.ai_budgets (account_id);
call seaworthy.protect('seaworthy.ai_budgets', :'app', 'account_id', 'select, delete');
create policy janitor_delete on seaworthy.ai_budgets for delete to :app using ((select seaworthy.on_duty('janitor')));
create policy operations on seaworthy.ai_budgets for select to :app using ((select seaworthy.on_duty('operations')));

-- Of calls under way. One that is not renewed belonged to a process that is gone: what it held is given back.
create table seaworthy.ai_reservations (
  call uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  day date not null,
  scopes text[] not null,
  money bigint not null check (money >= 0),
  tokens bigint not null check (tokens >= 0),
  expires_at timestamptz not null
);
create index ai_reservations_account on seaworthy.ai_reservations (account_id);
create index ai_reservations_expires on seaworthy.ai_reservations (expires_at);
call seaworthy.protect('seaworthy.ai_reservations', :'app', 'account_id', 'select');

-- Per account, day, task, engine and model. It stays when the person goes, as the ledger does: what was paid was paid.
create table seaworthy.ai_usage (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete restrict,
  day date not null,
  task text not null check (length(task) between 3 and 80),
  engine text not null check (length(engine) between 1 and 40),
  model text not null check (length(model) <= 120),
  calls bigint not null default 0,
  failures bigint not null default 0,
  tokens_in bigint not null default 0,
  tokens_out bigint not null default 0,
  money bigint not null default 0,
  ms bigint not null default 0,
  -- Answered from what was kept, and what that would have cost.
  hits bigint not null default 0,
  money_saved bigint not null default 0,
  constraint ai_usage_of unique (account_id, task, day, engine, model)
);
create index ai_usage_day on seaworthy.ai_usage (day);
call seaworthy.protect('seaworthy.ai_usage', :'app', 'account_id', 'select, insert');
grant update (calls, failures, tokens_in, tokens_out, money, ms, hits, money_saved) on seaworthy.ai_usage to :app;
create policy janitor_delete on seaworthy.ai_usage for delete to :app using ((select seaworthy.on_duty('janitor')));
grant delete on seaworthy.ai_usage to :app;
create policy operations on seaworthy.ai_usage for select to :app using ((select seaworthy.on_duty('operations')));

create function seaworthy.ai_today() returns date language sql stable
  return (now() at time zone 'UTC')::date;

-- An account counts in its own scopes and in those of apps, and nothing is ever taken back by a negative amount.
create function seaworthy.ai_check(account uuid, scopes text[], cost bigint, amount bigint) returns void
language plpgsql immutable as $$
begin
  if account is null then raise exception 'a budget belongs to an account'; end if;
  if cost < 0 or amount < 0 then raise exception 'nothing costs less than nothing'; end if;
  if exists (select 1 from unnest(scopes) s where s is null or not (s = 'account:' || account or s like 'app:%' or s like 'task:%:' || account)) then
    raise exception 'a scope of another account';
  end if;
end $$;

-- The scope that has too little left, marked when calls that are gone still hold something of it.
create function seaworthy.ai_short(scope text) returns text language sql stable
  return case when exists (select 1 from seaworthy.ai_reservations r where r.expires_at < clock_timestamp() and scope = any (r.scopes)) then 'stale ' else '' end || scope;

-- Sets aside what a call may cost at most, in every scope or in none. Null when it did; else the scope that has too little
-- left. The first look takes no lock, so that refusals do not queue.
create function seaworthy.ai_reserve(reservation uuid, scopes text[], money_max bigint[], tokens_max bigint[], cost bigint, amount bigint, lease_ms integer) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
  account uuid := seaworthy.account_id();
  today date := seaworthy.ai_today();
  b record;
begin
  perform seaworthy.ai_check(account, scopes, cost, amount);
  select s.scope into b from unnest(scopes, money_max, tokens_max) as s (scope, money, tokens)
    left join seaworthy.ai_budgets have on have.day = today and have.scope = s.scope
    where coalesce(have.money_spent + have.money_held, 0) + cost > s.money or coalesce(have.tokens_spent + have.tokens_held, 0) + amount > s.tokens
    order by s.scope limit 1;
  if found then return seaworthy.ai_short(b.scope); end if;
  insert into seaworthy.ai_budgets (day, scope, account_id)
    select today, s, case when s like 'app:%' then null else account end from unnest(scopes) s order by s
    on conflict do nothing;
  -- Always in the same order, so that two calls never wait for each other.
  for b in select have.scope, have.money_spent + have.money_held + cost > s.money or have.tokens_spent + have.tokens_held + amount > s.tokens as short
    from seaworthy.ai_budgets have join unnest(scopes, money_max, tokens_max) as s (scope, money, tokens) on s.scope = have.scope
    where have.day = today order by have.scope for no key update of have
  loop
    if b.short then return seaworthy.ai_short(b.scope); end if;
  end loop;
  update seaworthy.ai_budgets set money_held = money_held + cost, tokens_held = tokens_held + amount where day = today and scope = any (scopes);
  insert into seaworthy.ai_reservations (call, account_id, day, scopes, money, tokens, expires_at)
    values (reservation, account, today, scopes, cost, amount, clock_timestamp() + lease_ms * interval '1 millisecond');
  return null;
end $$;

-- What the call has cost in the end. Counted also when its reservation has been given back meanwhile.
create function seaworthy.ai_settle(reservation uuid, of_scopes text[], cost bigint, amount bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
  account uuid := seaworthy.account_id();
  held seaworthy.ai_reservations;
begin
  perform seaworthy.ai_check(account, of_scopes, cost, amount);
  delete from seaworthy.ai_reservations r where r.call = reservation and r.account_id = account returning * into held;
  held.day := coalesce(held.day, seaworthy.ai_today());
  insert into seaworthy.ai_budgets (day, scope, account_id)
    select held.day, s, case when s like 'app:%' then null else account end from unnest(of_scopes) s order by s
    on conflict do nothing;
  perform 1 from seaworthy.ai_budgets b where b.day = held.day and b.scope = any (of_scopes) order by b.scope for no key update;
  update seaworthy.ai_budgets set money_spent = money_spent + cost, tokens_spent = tokens_spent + amount,
    money_held = money_held - coalesce(held.money, 0), tokens_held = tokens_held - coalesce(held.tokens, 0)
    where day = held.day and scope = any (of_scopes);
end $$;

-- Gives back what calls held that nobody renews: of this scope, or on duty of all. How many.
create function seaworthy.ai_return_expired(of_scope text) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
  gone jsonb;
  g record;
begin
  if of_scope is null and not seaworthy.on_duty('janitor') then raise exception 'all scopes are looked after on duty only'; end if;
  with expired as (
    delete from seaworthy.ai_reservations where call in (
      select call from seaworthy.ai_reservations where expires_at < clock_timestamp() and (of_scope is null or of_scope = any (scopes))
      order by call limit 1000 for update skip locked)
    returning day, scopes, money, tokens)
  select coalesce(jsonb_agg(to_jsonb(expired)), '[]') into gone from expired;
  for g in select e.day, s.scope, sum(e.money) as money, sum(e.tokens) as tokens
    from jsonb_to_recordset(gone) as e (day date, scopes text[], money bigint, tokens bigint) cross join unnest(e.scopes) as s (scope)
    group by 1, 2 order by 1, 2
  loop
    update seaworthy.ai_budgets b set money_held = b.money_held - g.money, tokens_held = b.tokens_held - g.tokens
      where b.day = g.day and b.scope = g.scope;
  end loop;
  return jsonb_array_length(gone);
end $$;

-- Says that these calls are still under way.
create function seaworthy.ai_renew(calls uuid[], lease_ms integer) returns void
language sql security definer set search_path = pg_catalog
begin atomic
  update seaworthy.ai_reservations set expires_at = clock_timestamp() + lease_ms * interval '1 millisecond' where call = any (calls);
  update seaworthy.ai_flights set expires_at = clock_timestamp() + lease_ms * interval '1 millisecond' where call = any (calls);
end;

revoke all on function seaworthy.ai_check(uuid, text[], bigint, bigint), seaworthy.ai_short(text), seaworthy.ai_reserve(uuid, text[], bigint[], bigint[], bigint, bigint, integer), seaworthy.ai_settle(uuid, text[], bigint, bigint),
  seaworthy.ai_return_expired(text), seaworthy.ai_renew(uuid[], integer) from public;
grant execute on function seaworthy.ai_reserve(uuid, text[], bigint[], bigint[], bigint, bigint, integer), seaworthy.ai_settle(uuid, text[], bigint, bigint),
  seaworthy.ai_return_expired(text), seaworthy.ai_renew(uuid[], integer) to :app;
