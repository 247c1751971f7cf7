-- What never changes cannot be changed: whose a row is, what was paid for it, which photo it is of.
-- allow drop: the columns that releases write are granted below, in the same transaction
revoke update on cosnap.photos, cosnap.runs from :app;
grant update (name) on cosnap.photos to :app;
grant update (state, job_id, hold_id, engine, result_hash, result_width, result_height, error_code, finished_at) on cosnap.runs to :app;
