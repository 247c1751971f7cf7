-- What people see of a job; graphile_worker holds the queue itself.
create table seaworthy.jobs (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  task text not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'dead', 'cancelled')),
  -- Place in the queue of this task. Accounts take turns: see enqueue.
  turn bigint not null,
  input jsonb not null,
  attempts integer not null default 0,
  attempts_max integer not null check (attempts_max between 1 and 100),
  progress real not null default 0 check (progress between 0 and 1),
  error_code text,
  trace text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index jobs_waiting on seaworthy.jobs (task, turn, id) where state = 'waiting';
create index jobs_account_open on seaworthy.jobs (account_id, task) where state in ('waiting', 'running');
create index jobs_finished on seaworthy.jobs (finished_at) where finished_at is not null;
call seaworthy.protect('seaworthy.jobs', :'app', 'account_id', 'select');
-- A job ends by the functions below; the account itself cannot remove one.
drop policy account on seaworthy.jobs;
create policy account on seaworthy.jobs for select to :app using (account_id = (select seaworthy.account_id()));
create policy janitor_delete on seaworthy.jobs for delete to :app using ((select seaworthy.on_duty('janitor')) and finished_at is not null);
grant delete on seaworthy.jobs to :app;
create policy worker on seaworthy.jobs to :worker using (true) with check (true);
grant select, insert, update, delete on seaworthy.jobs to :worker;
grant references on seaworthy.accounts to :worker;

-- How many jobs run before this one: a number, and nothing about whose they are.
create function seaworthy.jobs_ahead(job uuid) returns bigint language sql stable security definer set search_path = pg_catalog
  return (select count(*) from seaworthy.jobs other, seaworthy.jobs mine
          where mine.id = job and mine.state = 'waiting' and other.task = mine.task and other.state = 'waiting'
            and (other.turn, other.id) < (mine.turn, mine.id));
revoke all on function seaworthy.jobs_ahead(uuid) from public;
grant execute on function seaworthy.jobs_ahead(uuid) to :app;

-- Called by a job before its effect counts: refuses when another attempt has taken the job over, and holds the row
-- until the transaction ends, so that nobody takes it over in between.
create function seaworthy.hold_job(job uuid, attempt integer) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  perform 1 from seaworthy.jobs where id = job and attempts = attempt and state = 'running' for update;
  return found;
end $$;
revoke all on function seaworthy.hold_job(uuid, integer) from public;
grant execute on function seaworthy.hold_job(uuid, integer) to :app;

-- The effect and the end of its job are one transaction.
create function seaworthy.finish_job(job uuid, attempt integer) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update seaworthy.jobs set state = 'done', progress = 1, finished_at = clock_timestamp() where id = job and attempts = attempt and state = 'running';
  return found;
end $$;
revoke all on function seaworthy.finish_job(uuid, integer) from public;
grant execute on function seaworthy.finish_job(uuid, integer) to :app;

-- The last attempt failed: the job is parked, with its reason.
create function seaworthy.bury_job(job uuid, attempt integer, code text) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update seaworthy.jobs set state = 'dead', error_code = code, finished_at = clock_timestamp() where id = job and attempts = attempt and state = 'running';
  return found;
end $$;
revoke all on function seaworthy.bury_job(uuid, integer, text) from public;
grant execute on function seaworthy.bury_job(uuid, integer, text) to :app;

-- Only a job of the caller's own account that nobody has started.
create function seaworthy.cancel_job(job uuid) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update seaworthy.jobs set state = 'cancelled', finished_at = clock_timestamp()
  where id = job and account_id = seaworthy.account_id() and state = 'waiting';
  return found;
end $$;
revoke all on function seaworthy.cancel_job(uuid) from public;
grant execute on function seaworthy.cancel_job(uuid) to :app;
