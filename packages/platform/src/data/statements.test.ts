import { expect, it } from 'vitest'
import { splitStatements } from './statements.ts'

const textsOf = (sql: string): readonly string[] => splitStatements(sql).map(({ text }) => text)

it('ends a statement at its semicolon and nowhere else', () => {
  expect(
    textsOf(`select ';', ";", e'\\';', $$;$$, $x$ $$;$$ $x$ -- ;
      /* ; */ ; create function f() returns int
      begin atomic select case when true then 1 end; select 2; end; select 3`),
  ).toEqual([
    `select ';', ";", e'\\';', $$;$$, $x$ $$;$$ $x$`,
    'create function f() returns int begin atomic select case when true then 1 end; select 2; end',
    'select 3',
  ])
})

it('keeps comments beside the statement that they precede, and its line', () => {
  expect(splitStatements('-- why\nselect 1;\n\n/* both\n lines */\nselect 2')).toEqual([
    { text: 'select 1', comments: ['why'], line: 2 },
    { text: 'select 2', comments: ['both', 'lines'], line: 6 },
  ])
})
