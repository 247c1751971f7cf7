-- Whose address this is. Row-level security looks at a row before it lets a function such as lower() see it, so a query of
-- the app cannot use the index on lower(email), and reads the whole table: this does for it.
create function seaworthy.user_by_address(address text) returns uuid
language sql stable security definer set search_path = pg_catalog
begin atomic
  select u.id from seaworthy.users u where seaworthy.on_duty('identity') and lower(u.email) = lower(address);
end;
revoke all on function seaworthy.user_by_address(text) from public;
grant execute on function seaworthy.user_by_address(text) to :app;
