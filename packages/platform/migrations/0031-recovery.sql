-- A row that each recovery point writes after its copy of the database. A restore looks for it: PostgreSQL itself ends at the
-- first hole of its log and says nothing. Nobody but the owner has anything to do with it.
create table seaworthy.recovery_sentinels (
  id uuid primary key,
  -- The name of the recovery point.
  point text not null check (length(point) <= 64),
  made_at timestamptz not null default clock_timestamp()
);
create index recovery_sentinels_made on seaworthy.recovery_sentinels (made_at);
alter table seaworthy.recovery_sentinels enable row level security;
alter table seaworthy.recovery_sentinels force row level security;
create policy owner on seaworthy.recovery_sentinels to current_user using (true) with check (true);
