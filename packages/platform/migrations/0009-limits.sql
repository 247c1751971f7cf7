-- How much of a limit is used, shared by all processes. The key is a keyed hash: no address and no account is in here.
-- Unlogged: it survives restarts, and a crash of the server only forgives what was used in the windows under way.
create unlogged table seaworthy.rates (
  key bytea primary key check (length(key) = 16),
  -- By the clock of the web processes, in milliseconds since 1970.
  started_ms bigint not null,
  ends_ms bigint not null,
  used integer not null check (used >= 0),
  -- What the last statement was given.
  granted integer not null check (granted >= 0)
) with (fillfactor = 50);
create index rates_ends on seaworthy.rates (ends_ms);

-- Tries at a secret: passwords, codes. Logged: a crash gives nobody new guesses.
create table seaworthy.tries (
  key bytea primary key check (length(key) = 16),
  -- In a row; the wait before the next try grows with them.
  failures integer not null check (failures >= 0),
  window_ms bigint not null,
  used integer not null check (used >= 0),
  last_ms bigint not null
) with (fillfactor = 50);

alter table seaworthy.rates enable row level security;
alter table seaworthy.rates force row level security;
create policy limits on seaworthy.rates to :app using ((select seaworthy.on_duty('limits'))) with check ((select seaworthy.on_duty('limits')));
create policy owner on seaworthy.rates to current_user using (true) with check (true);
grant select, insert, delete on seaworthy.rates to :app;
grant update (started_ms, ends_ms, used, granted) on seaworthy.rates to :app;

alter table seaworthy.tries enable row level security;
alter table seaworthy.tries force row level security;
create policy identity on seaworthy.tries to :app using ((select seaworthy.on_duty('identity'))) with check ((select seaworthy.on_duty('identity')));
create policy owner on seaworthy.tries to current_user using (true) with check (true);
grant select, insert, delete on seaworthy.tries to :app;
grant update (failures, window_ms, used, last_ms) on seaworthy.tries to :app;
