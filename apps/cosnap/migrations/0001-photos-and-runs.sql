create schema cosnap;
grant usage on schema cosnap to :app, :reader;

create table cosnap.photos (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  name text not null check (length(name) <= 200),
  hash text not null,
  type text not null,
  bytes bigint not null check (bytes > 0),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  created_at timestamptz not null default now()
);
create index photos_account on cosnap.photos (account_id, id desc);
call seaworthy.protect('cosnap.photos', :'app');

-- One effect on one photo. Deleting a photo deletes its runs; the ledger keeps what was paid.
create table cosnap.runs (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  photo_id uuid not null references cosnap.photos on delete cascade,
  effect text not null,
  strength integer not null check (strength between 0 and 100),
  cost integer not null check (cost > 0),
  state text not null default 'queued' check (state in ('queued', 'done', 'failed', 'cancelled')),
  job_id uuid not null,
  hold_id uuid not null,
  engine text,
  result_hash text,
  result_width integer,
  result_height integer,
  error_code text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint runs_result check ((state = 'done') = (result_hash is not null and engine is not null))
);
create index runs_photo on cosnap.runs (photo_id, id desc);
create index runs_gallery on cosnap.runs (account_id, id desc) where state = 'done';
call seaworthy.protect('cosnap.runs', :'app');
