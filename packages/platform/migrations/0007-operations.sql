-- Operators see the jobs that failed for good, whoever's they are.
create policy operations on seaworthy.jobs for select to :app using ((select seaworthy.on_duty('operations')) and state = 'dead');
create index jobs_dead on seaworthy.jobs (finished_at) where state = 'dead';
