-- Flags whose value is not the default. What flags there are, the code says.
create table seaworthy.flags (
  name text primary key check (length(name) between 3 and 80),
  value jsonb not null,
  changed_at timestamptz not null default now(),
  changed_by uuid references seaworthy.users on delete set null
);
create index flags_changed_by on seaworthy.flags (changed_by);
alter table seaworthy.flags enable row level security;
alter table seaworthy.flags force row level security;
create policy look on seaworthy.flags for select to :app using (true);
create policy operations on seaworthy.flags to :app using ((select seaworthy.on_duty('operations'))) with check ((select seaworthy.on_duty('operations')));
create policy owner on seaworthy.flags to current_user using (true) with check (true);
grant select, insert, delete on seaworthy.flags to :app;
grant update (value, changed_at, changed_by) on seaworthy.flags to :app;
