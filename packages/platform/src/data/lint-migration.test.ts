import { describe, expect, it } from 'vitest'
import { lintMigration } from './lint-migration.ts'

const lint = (text: string) => lintMigration({ app: 'shop', name: '0002-next.sql', text })
const rulesIn = (text: string): string[] => lint(text).map(({ rule }) => rule)
const alone = '-- no transaction: an index is built without holding up writers\n'

describe('a migration', () => {
  it.each([
    ['create index a_b on shop.a (b)', 'index-lock'],
    ['create unique index if not exists a_b on only shop.a (b)', 'index-lock'],
    ['create index on shop.a (b)', 'index-lock'],
    ['drop index shop.a_b', 'index-lock'],
    ['alter table shop.a add constraint a_b unique (b)', 'index-lock'],
    ['alter table shop.a add primary key (b)', 'index-lock'],
    ['alter table shop.a add column c text unique', 'index-lock'],
    ['alter table shop.a add column c text not null', 'not-null'],
    ['alter table only shop.a add c int NOT NULL', 'not-null'],
    ['alter table shop.a alter column b set not null', 'not-null'],
    ['alter table shop.a add column c uuid default gen_random_uuid()', 'table-rewrite'],
    ['alter table shop.a add column c timestamptz not null default clock_timestamp()', 'table-rewrite'],
    ['alter table shop.a add column c bigint generated always as identity', 'table-rewrite'],
    ['alter table shop.a add column c text generated always as (upper(b)) stored', 'table-rewrite'],
    ['alter table shop.a add column c bigserial', 'table-rewrite'],
    ['alter table shop.a set unlogged', 'table-rewrite'],
    ['vacuum (full, analyze) shop.a', 'table-rewrite'],
    ['cluster shop.a using a_b', 'table-rewrite'],
    ['alter table shop.a alter column b type bigint', 'type-change'],
    ['alter table shop.a alter b set data type text using b::text', 'type-change'],
    ['drop table shop.a', 'drop'],
    ['drop view if exists shop.v cascade', 'drop'],
    ['drop function shop.f(int, text)', 'drop'],
    ['drop function shop.f(int); create function shop.f(a int, b int) returns int language sql return a + b', 'drop'],
    ['drop policy account on shop.a', 'drop'],
    ['truncate shop.a', 'drop'],
    ['revoke update on shop.a from shop_app', 'drop'],
    ['alter table shop.a drop column b', 'drop'],
    ['alter table shop.a drop b', 'drop'],
    ['alter table shop.a alter column b drop default', 'drop'],
    ['alter table shop.a rename to z', 'rename'],
    ['alter table shop.a rename column b to c', 'rename'],
    ['alter table shop.a set schema old', 'rename'],
    ['alter view shop.v rename to w', 'rename'],
    ["alter type shop.state rename value 'x' to 'y'", 'rename'],
    ['alter table shop.a add constraint a_b check (b > 0)', 'constraint-scan'],
    ['alter table shop.a add foreign key (b) references shop.z', 'constraint-scan'],
    ['alter table shop.a add column c int check (c > 0)', 'constraint-scan'],
    [
      'alter table shop.a add constraint a_b check (b > 0) not valid; alter table shop.a validate constraint a_b',
      'constraint-scan',
    ],
    ['update shop.a set b = 1', 'backfill'],
    ['delete from shop.a where b = 1', 'backfill'],
    ['with old as (select 1) update shop.a set b = 1', 'backfill'],
    ["do $$ begin execute format('alter table %I add c int', 'a'); end $$", 'hidden'],
    ['do $do$ begin delete from shop.a; end $do$', 'hidden'],
    [
      "do $$ declare t text; begin foreach t in array array['a'] loop execute format('alter table shop.%I add c int', t); end loop; end $$",
      'hidden',
    ],
    ['create index concurrently a_b on shop.a (b)', 'transaction'],
    [`${alone}create index concurrently a_b on shop.a (b); select 1`, 'transaction'],
  ])('is told what it does to those who use the table: %s', (text, rule) => {
    expect(rulesIn(text)).toEqual([rule])
  })

  it.each([
    'create table shop.b (id uuid primary key); create index b_id on shop.b (id); alter table shop.b add c int not null; update shop.b set c = 1; drop table shop.b',
    "create table shop.b (id int); do $$ declare t text; begin foreach t in array array['b'] loop execute format('create policy p on shop.%I using (true)', t); end loop; end $$",
    'alter table shop.a add column c text, add column d int not null default 0, add e timestamptz not null default now()',
    'alter table shop.a add constraint a_b check (b > 0) not valid',
    'alter table shop.a validate constraint a_b',
    'alter table shop.a add constraint a_b unique using index a_b',
    'alter table shop.a alter column b set default 1, alter column b drop not null, drop constraint a_c',
    'drop policy account on shop.a; create policy account on shop.a for select using (true)',
    "insert into shop.a (b) values ('drop table shop.a; update shop.a') on conflict (b) do update set b = 1",
    'comment on table shop.a is $$create index x on shop.a (b);$$ -- drop table shop.a\n; /* drop table shop.a; */',
    'create function shop.f() returns void language plpgsql as $$ begin update shop.a set b = 1; end $$; revoke all on function shop.f() from public',
    'create function shop.f() returns int language sql begin atomic update shop.a set b = 1; select case when true then 1 end; end; select 1',
    `${alone}create index concurrently a_b on shop.a (b)`,
    `${alone}drop index concurrently shop.a_b`,
  ])('may do what nobody notices: %s', (text) => {
    expect(lint(text)).toEqual([])
  })

  it('may do anything that it gives a reason for, and only what the reason names', () => {
    expect(rulesIn('-- allow drop: no release reads it since 0.4\ndrop table shop.a')).toEqual([])
    expect(rulesIn('-- allow drop: short\ndrop table shop.a')).toEqual(['drop'])
    expect(rulesIn('-- allow rename: no release reads it since 0.4\ndrop table shop.a')).toEqual(['drop'])
    expect(rulesIn('-- allow drop: no release reads it since 0.4\ndrop table shop.a; drop table shop.b')).toEqual([
      'drop',
    ])
  })

  it('is told where, and what to do instead', () => {
    expect(lint('select 1;\n\n-- a remark\ndrop table shop.a;\n')).toEqual([
      {
        where: 'shop/0002-next.sql:4',
        rule: 'drop',
        says: expect.stringMatching(/drop table shop\.a\n {4}HINT: stop/),
      },
    ])
  })
})
