import type { CompiledQuery } from 'kysely'

/** What a transaction can run: a Kysely query, or SQL written with `sql`. Text put together by hand is neither. */
export interface Query<Row> {
  compile(): CompiledQuery<Row>
}

const mark = Symbol('sql')

interface Fragment {
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

const identifier = /^[a-z_][a-z0-9_]*$/

/** A table, column or type that a definition or the catalogue names: `cosnap.photos`. Throws for what is no name. */
export function sqlName(dotted: string): Query<unknown> & Fragment {
  const names = dotted.split('.')
  if (!names.every((name) => identifier.test(name))) throw new Error(`${dotted} is no name of a table or column`)
  const fragment = { [mark]: true as const, strings: [names.map((name) => `"${name}"`).join('.')], values: [] }
  return { ...fragment, compile: () => compile(fragment) }
}

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
