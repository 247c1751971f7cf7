-- What an audit line tells besides: kind, path, program, words of the error, details.
alter table seaworthy.audit
  add column kind text not null default 'change' check (kind in ('change', 'security')),
  add column path text check (length(path) <= 500),
  add column user_agent text check (length(user_agent) <= 300),
  add column error_text text check (length(error_text) <= 4000),
  add column details jsonb check (length(details::text) <= 8192);
-- Ids are in the order of time, so one index serves lists, exports and statistics of an account.
create index audit_account_line on seaworthy.audit (account_id, id desc);
create index audit_security on seaworthy.audit (id desc) where kind = 'security';
drop index seaworthy.audit_account;
-- When a line was written is the database's to say.
-- allow drop: what is granted instead names the columns, and the release before writes no other.
revoke insert on seaworthy.audit from :app;
grant insert (id, account_id, user_id, kind, action, outcome, resource, method, route, path, status, error_code, error_text,
  details, duration_ms, network, user_agent, request_id) on seaworthy.audit to :app;
create policy operations on seaworthy.audit for select to :app using ((select seaworthy.on_duty('operations')) and kind = 'security');

-- Lines that wait for their seal. A trigger puts them here, so that no line can be written without.
create table seaworthy.audit_unsealed (
  id uuid not null,
  created_at timestamptz not null default clock_timestamp()
);

-- One seal for each line, in a chain for each account; lines without account have the chain of zeros. Every value is
-- keyed with a secret that the database does not know: who can write everything here still cannot make a seal.
create table seaworthy.audit_seals (
  chain uuid not null,
  seq bigint not null check (seq > 0),
  line_id uuid not null,
  -- Of the line's content, so that a chain holds when its old lines are forgotten.
  line_mac bytea not null check (length(line_mac) = 32),
  previous bytea not null check (length(previous) = 32),
  mac bytea not null check (length(mac) = 32),
  sealed_at timestamptz not null,
  primary key (chain, seq)
);
create unique index audit_seals_line on seaworthy.audit_seals (line_id);
create index audit_seals_time on seaworthy.audit_seals using brin (sealed_at);

do $$
declare t text;
begin
  foreach t in array array['audit_unsealed', 'audit_seals'] loop
    execute format('alter table seaworthy.%I enable row level security', t);
    execute format('alter table seaworthy.%I force row level security', t);
    execute format('create policy owner on seaworthy.%I to current_user using (true) with check (true)', t);
  end loop;
end $$;

create function seaworthy.await_seal() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into seaworthy.audit_unsealed (id) values (new.id);
  return null;
end $$;
create trigger await_seal after insert on seaworthy.audit for each row execute function seaworthy.await_seal();
insert into seaworthy.audit_unsealed (id) select id from seaworthy.audit order by id;

-- The sealer's whole power: take waiting lines, read heads, add seals. One at a time: others get no lines.
create function seaworthy.lines_to_seal(lines_max integer) returns setof seaworthy.audit
language plpgsql security definer set search_path = pg_catalog as $$
begin
  if not pg_try_advisory_xact_lock(7305812) then return; end if;
  return query
    select a.* from (select id from seaworthy.audit_unsealed order by created_at limit lines_max) waiting
    join seaworthy.audit a on a.id = waiting.id order by a.id;
end $$;

create function seaworthy.seal_heads(chains uuid[]) returns table (chain uuid, seq bigint, mac bytea)
language sql stable security definer set search_path = pg_catalog
begin atomic
  select head.chain, head.seq, head.mac from unnest(chains) wanted(chain)
  cross join lateral (select s.chain, s.seq, s.mac from seaworthy.audit_seals s where s.chain = wanted.chain order by s.seq desc limit 1) head;
end;

-- Refuses a line that does not wait, and a place in a chain that is taken.
create function seaworthy.add_seals(chains uuid[], seqs bigint[], lines uuid[], line_macs bytea[], previous bytea[], macs bytea[], sealed timestamptz)
returns void language plpgsql security definer set search_path = pg_catalog as $$
declare taken bigint;
begin
  delete from seaworthy.audit_unsealed where id = any(lines);
  get diagnostics taken = row_count;
  if taken <> cardinality(lines) then raise exception 'only a line that waits for its seal can get one'; end if;
  insert into seaworthy.audit_seals (chain, seq, line_id, line_mac, previous, mac, sealed_at)
  select c, q, l, lm, p, m, sealed from unnest(chains, seqs, lines, line_macs, previous, macs) as given(c, q, l, lm, p, m);
end $$;

-- How long the oldest waiting line has waited, in seconds, and how many wait: no content, so everybody may know.
create function seaworthy.seal_lag() returns table (seconds double precision, lines bigint)
language sql stable security definer set search_path = pg_catalog
begin atomic
  select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::double precision, count(*)
  from (select created_at from seaworthy.audit_unsealed limit 10000) waiting;
end;

-- The janitor forgets lines whose seal is older than this many days, and their seals but the newest of each chain, which
-- is where verification begins then. Never anything younger than 90 days, whoever asks.
create function seaworthy.forget_audit(days integer, lines_max integer) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare forgotten bigint;
begin
  if not seaworthy.on_duty('janitor') then raise exception 'audit lines are forgotten by the janitor only'; end if;
  if days < 90 then raise exception 'audit lines are kept for 90 days at least'; end if;
  with old as (
    select s.chain, s.seq, s.line_id,
      exists (select 1 from seaworthy.audit_seals n where n.chain = s.chain and n.seq = s.seq + 1
        and n.sealed_at < now() - make_interval(days => days)) as followed
    from seaworthy.audit_seals s
    where s.sealed_at < now() - make_interval(days => days)
      and (exists (select 1 from seaworthy.audit a where a.id = s.line_id)
        or exists (select 1 from seaworthy.audit_seals n where n.chain = s.chain and n.seq = s.seq + 1
          and n.sealed_at < now() - make_interval(days => days)))
    order by s.sealed_at, s.chain, s.seq limit lines_max),
  seals as (delete from seaworthy.audit_seals s using old where old.followed and s.chain = old.chain and s.seq = old.seq),
  lines as (delete from seaworthy.audit a using old where a.id = old.line_id)
  select count(*) into forgotten from old;
  return forgotten;
end $$;

revoke all on function seaworthy.await_seal(), seaworthy.lines_to_seal(integer), seaworthy.seal_heads(uuid[]),
  seaworthy.add_seals(uuid[], bigint[], uuid[], bytea[], bytea[], bytea[], timestamptz), seaworthy.seal_lag(), seaworthy.forget_audit(integer, integer) from public;
grant execute on function seaworthy.lines_to_seal(integer), seaworthy.seal_heads(uuid[]),
  seaworthy.add_seals(uuid[], bigint[], uuid[], bytea[], bytea[], bytea[], timestamptz) to :worker;
grant execute on function seaworthy.seal_lag() to :app, :worker;
grant execute on function seaworthy.forget_audit(integer, integer) to :app;
