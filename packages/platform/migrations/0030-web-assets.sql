-- Files of the pages, of this release and of earlier ones: people keep pages open for days, and those ask for the files that
-- they were built with. Every web process of every release reads them here, wherever it runs.
create table seaworthy.web_assets (
  -- With the hash that the build gave it: what is under a name never changes.
  name text primary key check (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$'),
  body bytea not null check (octet_length(body) <= 8388608),
  -- When a release that has it was last known to run.
  seen_at timestamptz not null default now()
);
create index web_assets_seen on seaworthy.web_assets (seen_at);
-- They are compressed already.
alter table seaworthy.web_assets alter body set storage external;

alter table seaworthy.web_assets enable row level security;
alter table seaworthy.web_assets force row level security;
create policy owner on seaworthy.web_assets to current_user using (true) with check (true);
create policy assets_read on seaworthy.web_assets for select to :app using ((select seaworthy.on_duty('assets')));
-- No script can be put in the place of one that pages ask for: bytes are never updated, and a name is free again only when no
-- release was seen with it for a day, which no clock but the server's tells.
create policy assets_add on seaworthy.web_assets for insert to :app with check ((select seaworthy.on_duty('assets')) and seen_at = now());
create policy assets_see on seaworthy.web_assets for update to :app using ((select seaworthy.on_duty('assets'))) with check (seen_at = now());
create policy assets_forget on seaworthy.web_assets for delete to :app
  using ((select seaworthy.on_duty('assets')) and seen_at < now() - interval '1 day');
grant select, insert, delete, update (seen_at) on seaworthy.web_assets to :app;
