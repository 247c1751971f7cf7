-- Tables that only grow are cut by month. Months are made ahead by a schedule; what comes for a month that is not there
-- lands in the default partition and moves when the month is made. An old month is detached into an archive, never dropped.
create table seaworthy.partitioned_tables (
  -- With its schema.
  name text primary key,
  -- Months that are there before they begin.
  ahead integer not null check (ahead between 1 and 24),
  -- Months that stay attached after their end; null: all.
  keep integer check (keep between 1 and 1200),
  created_at timestamptz not null default now()
);
alter table seaworthy.partitioned_tables enable row level security;
alter table seaworthy.partitioned_tables force row level security;
create policy janitor on seaworthy.partitioned_tables for select to :app using ((select seaworthy.on_duty('janitor')));
create policy owner on seaworthy.partitioned_tables to current_user using (true) with check (true);
grant select on seaworthy.partitioned_tables to :app;

-- The policies of the whole table on one part of it: whoever reads the part itself sees no more than through the whole.
create procedure seaworthy.protect_partition(target regclass, part regclass)
language plpgsql set search_path = pg_catalog as $$
declare
  p record;
begin
  execute format('alter table %s enable row level security', part);
  execute format('alter table %s force row level security', part);
  for p in select polname from pg_policy where polrelid = part loop
    execute format('drop policy %I on %s', p.polname, part);
  end loop;
  for p in
    select polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid) as seen, pg_get_expr(polwithcheck, polrelid) as written,
      (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ') from unnest(polroles) role) as roles
    from pg_policy where polrelid = target
  loop
    execute format('create policy %I on %s as %s for %s to %s %s %s', p.polname, part,
      case when p.polpermissive then 'permissive' else 'restrictive' end,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      p.roles, 'using (' || p.seen || ')', 'with check (' || p.written || ')');
  end loop;
end $$;

-- After a later migration has changed the policies of the whole table.
create procedure seaworthy.protect_partitions(target regclass)
language plpgsql set search_path = pg_catalog as $$
declare
  part regclass;
begin
  for part in select inhrelid from pg_inherits where inhparent = target loop
    call seaworthy.protect_partition(target, part);
  end loop;
end $$;

-- One month of one table; its name, or null when it was there. Made beside the table and then attached: that waits for
-- nobody who reads or writes other months. Rows that came before their month are taken out of the default partition.
create function seaworthy.make_month(target regclass, first_day date) returns text
language plpgsql set search_path = pg_catalog as $$
declare
  space text;
  base text;
  part text;
  clock text;
  since timestamptz := first_day::timestamp at time zone 'UTC';
  till timestamptz := (first_day + interval '1 month') at time zone 'UTC';
begin
  select n.nspname, c.relname, a.attname into strict space, base, clock
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_partitioned_table t on t.partrelid = c.oid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = t.partattrs[0]
  where c.oid = target;
  part := format('%I.%I', space, base || to_char(first_day, '_YYYY_MM'));
  if to_regclass(part) is not null then return null; end if;
  execute format('create table %s (like %s including all excluding identity)', part, target);
  call seaworthy.protect_partition(target, part::regclass);
  execute format('with early as (delete from %I.%I where %I >= %L and %I < %L returning *) insert into %s select * from early',
    space, base || '_default', clock, since, clock, till, part);
  execute format('alter table %s attach partition %s for values from (%L) to (%L)', target, part, since, till);
  return part;
end $$;

-- For a migration, after the table has its keys, rights and policies: `create table x (...) partition by range (created_at)`.
-- `since`: the oldest month that rows are going to be moved into.
create procedure seaworthy.partition_by_month(target regclass, ahead integer default 3, keep integer default null, since timestamptz default now())
language plpgsql set search_path = pg_catalog as $$
declare
  name text;
  space text;
  base text;
begin
  select format('%I.%I', n.nspname, c.relname), n.nspname, c.relname into name, space, base
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_partitioned_table t on t.partrelid = c.oid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = t.partattrs[0]
  where c.oid = target and t.partstrat = 'r' and t.partnatts = 1 and a.atttypid = 'timestamptz'::regtype;
  if not found then
    raise exception '% is not partitioned by the range of one timestamptz column', target using hint = 'create table ... partition by range (created_at)';
  end if;
  insert into seaworthy.partitioned_tables (name, ahead, keep) values (name, partition_by_month.ahead, partition_by_month.keep)
  on conflict on constraint partitioned_tables_pkey do update set ahead = excluded.ahead, keep = excluded.keep;
  if not exists (select 1 from pg_partitioned_table where partrelid = target and partdefid <> 0) then
    execute format('create table %I.%I partition of %s default', space, base || '_default', target);
  end if;
  call seaworthy.protect_partitions(target);
  perform seaworthy.make_month(target, month::date)
  from generate_series(date_trunc('month', least(since, now()) at time zone 'UTC'),
    date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead), interval '1 month') month;
end $$;

-- The months that are missing, now and ahead. Gives up after half a second behind a transaction that holds the table.
create function seaworthy.make_partitions(target text) returns setof text
language plpgsql security definer set search_path = pg_catalog set lock_timeout = '500ms' as $$
declare
  months integer;
  made text;
  month timestamp;
begin
  select t.ahead into months from seaworthy.partitioned_tables t where t.name = target;
  if not found then raise exception '% is not cut by month', target using hint = 'call seaworthy.partition_by_month in a migration'; end if;
  month := date_trunc('month', now() at time zone 'UTC');
  for i in 0 .. months loop
    made := seaworthy.make_month(target::regclass, (month + make_interval(months => i))::date);
    if made is not null then return next made; end if;
  end loop;
end $$;

-- Months beyond the retention leave the table and move to the schema <schema>_archive, whole and unread by any role of ours.
create function seaworthy.archive_partitions(target text) returns setof text
language plpgsql security definer set search_path = pg_catalog set lock_timeout = '500ms' as $$
declare
  months integer;
  space text;
  old record;
begin
  select t.keep, n.nspname into months, space
  from seaworthy.partitioned_tables t join pg_class c on c.oid = t.name::regclass join pg_namespace n on n.oid = c.relnamespace
  where t.name = target;
  if months is null then return; end if;
  for old in
    select c.oid::regclass as part, c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = target::regclass
      and substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz <= now() - make_interval(months => months)
    order by c.relname
  loop
    execute format('create schema if not exists %I', space || '_archive');
    execute format('alter table %s detach partition %s', target, old.part);
    execute format('alter table %I.%I set schema %I', space, old.relname, space || '_archive');
    return next format('%I.%I', space || '_archive', old.relname);
  end loop;
end $$;

revoke all on procedure seaworthy.protect_partition(regclass, regclass), seaworthy.protect_partitions(regclass),
  seaworthy.partition_by_month(regclass, integer, integer, timestamptz) from public;
revoke all on function seaworthy.make_month(regclass, date), seaworthy.make_partitions(text), seaworthy.archive_partitions(text) from public;
grant execute on function seaworthy.make_partitions(text), seaworthy.archive_partitions(text) to :app;
