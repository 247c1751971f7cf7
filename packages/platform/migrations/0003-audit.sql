-- Written in the transaction of the change. No role that the app has can change or remove a line.
create table seaworthy.audit (
  id uuid primary key,
  account_id uuid,
  user_id uuid,
  action text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  resource text,
  method text not null,
  route text not null,
  status smallint not null,
  error_code text,
  duration_ms integer not null check (duration_ms >= 0),
  network text not null,
  request_id text not null,
  created_at timestamptz not null default now()
);
create index audit_account on seaworthy.audit (account_id, created_at);
alter table seaworthy.audit enable row level security;
alter table seaworthy.audit force row level security;
create policy account on seaworthy.audit for select to :app using (account_id = (select seaworthy.account_id()));
create policy append on seaworthy.audit for insert to :app with check (true);
create policy owner on seaworthy.audit to current_user using (true) with check (true);
grant select, insert on seaworthy.audit to :app;

-- The first answer to a request that carries an Idempotency-Key.
create table seaworthy.idempotency (
  account_id uuid not null references seaworthy.accounts on delete cascade,
  key text not null check (length(key) between 1 and 255),
  route text not null,
  request_hash bytea not null,
  status smallint,
  reply jsonb,
  created_at timestamptz not null default now(),
  primary key (account_id, key)
);
create index idempotency_created on seaworthy.idempotency (created_at);
call seaworthy.protect('seaworthy.idempotency', :'app', 'account_id', 'select, insert, update');
create policy janitor_delete on seaworthy.idempotency for delete to :app using ((select seaworthy.on_duty('janitor')));
grant delete on seaworthy.idempotency to :app;
