-- Mail that waits to be sent or was sent. Written in the transaction of what it tells about; whoever may write rows at
-- all may write one, and only the sender, the janitor and operators see them.
create table seaworthy.mail (
  id uuid primary key,
  -- One address, and nothing that could add a header or a second recipient.
  recipient text not null check (length(recipient) between 3 and 254 and recipient !~ '[[:cntrl:][:space:],;<>()"]'),
  subject text not null check (length(subject) between 1 and 200 and subject !~ '[[:cntrl:]]'),
  -- Erased when it was sent, when it cannot be sent, and when what it holds is of no use any more.
  body jsonb,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'expired')),
  tries integer not null default 0,
  -- When it is tried next. Whoever takes it moves this ahead: until then nobody else takes it.
  due_at timestamptz not null default now(),
  -- From then on it is of no use, and not sent.
  expires_at timestamptz,
  problem text check (length(problem) <= 500),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  check ((state = 'waiting') = (ended_at is null)),
  check (state = 'waiting' or body is null)
);
create index mail_due on seaworthy.mail (due_at) where state = 'waiting';
create index mail_expires on seaworthy.mail (expires_at) where state = 'waiting';
create index mail_sent on seaworthy.mail (ended_at) where state = 'sent';
create index mail_created on seaworthy.mail (created_at);
create index mail_waiting on seaworthy.mail (created_at) where state = 'waiting';
alter table seaworthy.mail enable row level security;
alter table seaworthy.mail force row level security;
create policy write on seaworthy.mail for insert to :app with check (state = 'waiting' and tries = 0);
create policy mail on seaworthy.mail to :app using ((select seaworthy.on_duty('mail'))) with check ((select seaworthy.on_duty('mail')));
create policy operations on seaworthy.mail for select to :app using ((select seaworthy.on_duty('operations')));
create policy owner on seaworthy.mail to current_user using (true) with check (true);
grant select, delete on seaworthy.mail to :app;
grant insert (id, recipient, subject, body, expires_at) on seaworthy.mail to :app;
grant update (body, state, tries, due_at, problem, ended_at) on seaworthy.mail to :app;

-- Links that work once: to confirm an address, to choose a new password, to accept an invitation. Only a hash is kept.
create table seaworthy.one_time_links (
  token_hash bytea primary key check (length(token_hash) = 32),
  kind text not null check (kind in ('email_verify', 'email_change', 'password_reset', 'invitation')),
  -- Whose it is. An invitation belongs to nobody yet.
  user_id uuid references seaworthy.users on delete cascade,
  -- The address that it was sent to: whoever uses the link has shown that they read its mail.
  email text not null check (length(email) between 3 and 254),
  -- What else it is about, such as the id of an invitation.
  about uuid,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  check (kind = 'invitation' or user_id is not null)
);
create index one_time_links_user on seaworthy.one_time_links (user_id, kind);
create index one_time_links_about on seaworthy.one_time_links (about) where about is not null;
create index one_time_links_expires on seaworthy.one_time_links (expires_at);
alter table seaworthy.one_time_links enable row level security;
alter table seaworthy.one_time_links force row level security;
create policy identity on seaworthy.one_time_links to :app using ((select seaworthy.on_duty('identity'))) with check ((select seaworthy.on_duty('identity')));
create policy owner on seaworthy.one_time_links to current_user using (true) with check (true);
grant select, insert, delete on seaworthy.one_time_links to :app;
grant update (used_at) on seaworthy.one_time_links to :app;

-- Null until the person has shown that they read the mail of this address.
alter table seaworthy.users add column email_verified_at timestamptz;
grant update (email, email_verified_at) on seaworthy.users to :app;
