import type { CompiledQuery } from 'kysely'

/** What a transaction can run: a Kysely query, or SQL written with `sql`. Text put together by hand is neither. */
export interface Query<Row> {
  compile(): CompiledQuery<Row>
}

const mark = Symbol('sql')

export interface Fragment {
  readonly [mark]: true
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
}

/** SQL as SQL: every `${value}` becomes a parameter; another `sql` is spliced in. */
export function sql<Row = unknown>(
  strings: TemplateStringsArray,
  ...values: readonly unknown[]
): Query<Row> & Fragment {
  const fragment = { [mark]: true as const, strings, values }
  return { ...fragment, compile: () => compile(fragment) as CompiledQuery<Row> }
}

const nameForm = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/

/** The name of a table or a column, as a declaration of ours has it. Throws when it is anything else. */
export function sqlName(name: string): Query<unknown> & Fragment {
  if (!nameForm.test(name)) throw new Error(`not the name of a table or column: ${name}`)
  const quoted = name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
  const fragment = { [mark]: true as const, strings: [quoted], values: [] }
  return { ...fragment, compile: () => compile(fragment) }
}

const typeForm = /^[a-z_"][\w" .,()[\]]*$/i

/** A type as the catalogue prints it: `timestamp with time zone`, `numeric(10,2)`. Throws when it is anything else. */
export function sqlType(type: string): Fragment {
  if (!typeForm.test(type)) throw new Error(`not a type of PostgreSQL: ${type}`)
  return { [mark]: true, strings: [type], values: [] }
}

/** Pieces one after the other with a comma between them. */
export const sqlList = (pieces: readonly Fragment[]): Fragment => ({
  [mark]: true,
  strings: ['', ...pieces.slice(1).map(() => ', '), ''],
  values: pieces,
})

function compile(fragment: Fragment): CompiledQuery {
  const parameters: unknown[] = []
  const text = render(fragment, parameters)
  return { sql: text, parameters } as unknown as CompiledQuery
}

function render(fragment: Fragment, parameters: unknown[]): string {
  let text = fragment.strings[0] ?? ''
  fragment.values.forEach((value, i) => {
    if (isFragment(value)) text += render(value, parameters)
    else text += `$${parameters.push(value)}`
    text += fragment.strings[i + 1] ?? ''
  })
  return text
}

const isFragment = (value: unknown): value is Fragment => typeof value === 'object' && value !== null && mark in value
