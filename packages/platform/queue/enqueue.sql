-- Owned by the worker's role. The app's role may enqueue through this function and see nobody's queue.
-- Accounts take turns: a job's turn is behind the account's own last one, and not before the turn being served now.
create or replace function seaworthy_queue.enqueue(job uuid, account uuid, task_name text, job_input jsonb, tries integer, traceparent text, delay_ms integer)
returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
  serving bigint;
  mine bigint;
  next_turn bigint;
begin
  select coalesce(min(turn), 0) into serving from seaworthy.jobs where task = task_name and state in ('waiting', 'running');
  select coalesce(max(turn) + 1, 0) into mine from seaworthy.jobs where account_id = account and task = task_name and state in ('waiting', 'running');
  next_turn := greatest(serving, mine);
  insert into seaworthy.jobs (id, account_id, task, turn, input, attempts_max, trace)
  values (job, account, task_name, next_turn, job_input, tries, traceparent);
  -- The queue runs what is due longest first: a turn is a due time in the past.
  perform graphile_worker.add_job(task_name, json_build_object('id', job),
    run_at := case when delay_ms > 0 then clock_timestamp() + delay_ms * interval '1 millisecond' else timestamptz '2001-01-01' + next_turn * interval '1 second' end,
    job_key := job::text, max_attempts := 1000);
end $$;
revoke all on function seaworthy_queue.enqueue(uuid, uuid, text, jsonb, integer, text, integer) from public;
grant usage on schema seaworthy_queue to :app;
grant execute on function seaworthy_queue.enqueue(uuid, uuid, text, jsonb, integer, text, integer) to :app;

-- Another life for a job that failed for good: for operators, in a transaction of the account whose job it is.
create or replace function seaworthy_queue.revive(job uuid, more_tries integer) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  task_name text;
begin
  update seaworthy.jobs set state = 'waiting', progress = 0, error_code = null, finished_at = null, attempts_max = attempts + more_tries
  where id = job and account_id = seaworthy.account_id() and state = 'dead' and seaworthy.on_duty('operations')
  returning task into task_name;
  if not found then return false; end if;
  perform graphile_worker.add_job(task_name, json_build_object('id', job), job_key := job::text, max_attempts := 1000);
  return true;
end $$;
revoke all on function seaworthy_queue.revive(uuid, integer) from public;
grant execute on function seaworthy_queue.revive(uuid, integer) to :app;

-- Each worker pool says every two seconds that it is alive: a process that is frozen keeps its connections and says nothing.
create table if not exists seaworthy_queue.workers (id text primary key, beat_at timestamptz not null);
