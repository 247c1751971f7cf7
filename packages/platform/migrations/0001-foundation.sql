-- Names of the caller, and the one helper that protects a table.
grant usage on schema seaworthy to :app, :worker, :reader;

-- The account of this transaction, or null. After a transaction the setting reads '', hence nullif.
create function seaworthy.account_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.account_id', true), '')::uuid;

create function seaworthy.user_id() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.user_id', true), '')::uuid;

create function seaworthy.on_duty(duty text) returns boolean language sql stable parallel safe
  return coalesce(current_setting('app.duty', true) = duty, false);

-- Row-level security, forced also for the owner: rows of an account are seen and written by that account only.
-- `privileges` are what the app's role may do at all.
create procedure seaworthy.protect(target regclass, app_role text, account_column text default 'account_id', privileges text default 'select, insert, update, delete')
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format('create policy account on %s to %I using (%I = (select seaworthy.account_id())) with check (%I = (select seaworthy.account_id()))', target, app_role, account_column, account_column);
  execute format('create policy janitor on %s for select to %I using ((select seaworthy.on_duty(''janitor'')))', target, app_role);
  execute format('create policy owner on %s to current_user using (true) with check (true)', target);
  execute format('grant %s on %s to %I', privileges, target, app_role);
end $$;
