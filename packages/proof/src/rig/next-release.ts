import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnCopy, type OwnCopy } from './own-copy.ts'
import type { Rig } from './rig.ts'

/**
 * The release after the judged one: the same product with more migrations, such as an app brings that keeps more of a
 * photo. They only add, as every release's should.
 */
export function makeNextRelease(rig: Rig): OwnCopy {
  const copy = makeOwnCopy(rig)
  for (const [name, text] of Object.entries(migrations))
    writeFileSync(join(copy.product, 'apps/cosnap/migrations', name), text)
  return copy
}

/** Later than any of ours. */
const migrations = {
  '9001-captions.sql': `alter table cosnap.photos add column caption text;
alter table cosnap.photos add constraint photos_caption check (length(caption) <= 200) not valid;
create table cosnap.albums (
  id uuid primary key,
  account_id uuid not null references seaworthy.accounts on delete cascade,
  name text not null
);
create index albums_account on cosnap.albums (account_id);
call seaworthy.protect('cosnap.albums', :'app');
`,
  '9002-check-captions.sql': 'alter table cosnap.photos validate constraint photos_caption;\n',
  '9003-find-captions.sql': `-- no transaction: the table is in use
create index concurrently photos_by_caption on cosnap.photos (account_id, caption);
`,
}
