-- no transaction: the table is in use while the index is built
create index concurrently runs_account on cosnap.runs (account_id, id desc);
