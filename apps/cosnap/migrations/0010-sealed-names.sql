-- Names are sealed from now on, and cipher text is longer. Those from before are read as they are until
-- `seaworthy keys encrypt-existing` has sealed them.
alter table cosnap.photos drop constraint photos_name_check;
alter table cosnap.photos add constraint photos_name_check check (length(name) <= 1300) not valid;
