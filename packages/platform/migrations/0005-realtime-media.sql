-- What happened, for whoever watches: written with the change, read by cursor, kept for an hour.
create table seaworthy.events (
  id bigint generated always as identity primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  channel text not null,
  payload jsonb not null,
  created_at timestamptz not null default now()
);
create index events_account on seaworthy.events (account_id, channel, id);
create index events_created on seaworthy.events (created_at);
call seaworthy.protect('seaworthy.events', :'app', 'account_id', 'select, insert');
create policy feed on seaworthy.events for select to :app using ((select seaworthy.on_duty('realtime')));
create policy janitor_delete on seaworthy.events for delete to :app using ((select seaworthy.on_duty('janitor')));
grant delete on seaworthy.events to :app;

-- Files by their content, per account: equal photos of two people are two blobs, so that neither learns of the other.
create table seaworthy.blobs (
  account_id uuid not null references seaworthy.accounts on delete cascade,
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  bytes bigint not null check (bytes > 0),
  type text not null,
  -- Null while something refers to it.
  unused_since timestamptz,
  created_at timestamptz not null default now(),
  primary key (account_id, hash)
);
create index blobs_unused on seaworthy.blobs (unused_since) where unused_since is not null;
call seaworthy.protect('seaworthy.blobs', :'app', 'account_id', 'select, insert');
grant update (unused_since) on seaworthy.blobs to :app;
create policy janitor_delete on seaworthy.blobs for delete to :app using ((select seaworthy.on_duty('janitor')));
grant delete on seaworthy.blobs to :app;

-- Who refers to a blob. Without a reference it is unused, and a day later the janitor removes it.
create table seaworthy.blob_references (
  account_id uuid not null,
  hash text not null,
  owner text not null check (length(owner) between 1 and 120),
  primary key (account_id, hash, owner),
  foreign key (account_id, hash) references seaworthy.blobs on delete restrict
);
call seaworthy.protect('seaworthy.blob_references', :'app', 'account_id', 'select, insert, delete');

-- Whoever waits for a job hears of each change of it, whatever made the change, with the change's own commit. When a
-- place in the queue becomes free, the next ones hear how many are still ahead of them.
create function seaworthy.announce_job() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into seaworthy.events (account_id, channel, payload)
  values (new.account_id, 'platform.jobs', jsonb_build_object('jobId', new.id, 'state', new.state, 'progress', new.progress,
    'ahead', case when new.state = 'waiting' then seaworthy.jobs_ahead(new.id) else 0 end));
  if tg_op = 'UPDATE' and old.state = 'waiting' and new.state <> 'waiting' then
    insert into seaworthy.events (account_id, channel, payload)
    select account_id, 'platform.jobs', jsonb_build_object('jobId', id, 'state', 'waiting', 'progress', 0, 'ahead', place - 1)
    from (select id, account_id, row_number() over (order by turn, id) as place from seaworthy.jobs where task = new.task and state = 'waiting' order by turn, id limit 20) next;
  end if;
  perform pg_notify('seaworthy_events', '');
  return null;
end $$;
create trigger announce_new after insert on seaworthy.jobs for each row execute function seaworthy.announce_job();
create trigger announce_change after update on seaworthy.jobs for each row
  when (old.state is distinct from new.state or old.progress is distinct from new.progress) execute function seaworthy.announce_job();
