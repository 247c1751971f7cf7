-- What an account agreed to and took back: one row for each decision, and the newest one of a purpose counts. Nobody
-- changes a row: the app may only add one, for its own account and in the name of whoever asks.
create table seaworthy.consents (
  id uuid primary key,
  -- The order of decisions, whatever clocks say: one is made while those of the same account and purpose wait.
  seq bigint generated always as identity unique,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  -- Nobody, once the person is erased and the account stays.
  user_id uuid references seaworthy.users on delete set null,
  purpose text not null check (length(purpose) between 3 and 80),
  version integer not null check (version > 0),
  -- The words that were agreed to, or taken back: what a release says today proves nothing about last year.
  text text not null check (length(text) between 1 and 4000),
  given boolean not null,
  how text not null check (how in ('page', 'program')),
  -- Of the line in the audit.
  request_id text not null check (length(request_id) <= 100),
  created_at timestamptz not null default clock_timestamp()
);
create index consents_newest on seaworthy.consents (account_id, purpose, seq desc);
create index consents_user on seaworthy.consents (user_id);
alter table seaworthy.consents enable row level security;
alter table seaworthy.consents force row level security;
create policy account on seaworthy.consents for select to :app using (account_id = (select seaworthy.account_id()));
create policy append on seaworthy.consents for insert to :app
  with check (account_id = (select seaworthy.account_id()) and user_id = (select seaworthy.user_id()));
create policy identity on seaworthy.consents for select to :app using ((select seaworthy.on_duty('identity')));
create policy owner on seaworthy.consents to current_user using (true) with check (true);
grant select, insert on seaworthy.consents to :app;
