-- no transaction: the table is in use while the index is built
-- What is kept of a person is counted, exported and erased by account, and most jobs have ended.
create index concurrently jobs_by_account on seaworthy.jobs (account_id);
