/** What each finding asks for instead. */
export const mends = {
  'index-lock': 'use concurrently, in a file of its own whose first line is: -- no transaction: <why>',
  'not-null':
    'add the column without it or with a constant default; add check (x is not null) not valid, validate it in the next file, and set not null in a release after',
  'table-rewrite': 'add a nullable column or one with a constant default, and fill it with a job',
  'type-change':
    'add a column of the new type, write both, fill it with a job, and drop the old one two releases later',
  drop: 'stop reading it in this release and drop it in the next one, with a comment: -- allow drop: <reason>',
  rename: 'add the new name beside the old one; drop the old one when no release reads it',
  'constraint-scan': 'add it not valid, and validate it in a file of its own',
  backfill: 'change rows with a job, some thousand in each transaction',
  hidden: 'write the statements out, or say why it is harmless: -- allow hidden: <reason>',
  transaction: 'put the statement into a file of its own whose first line is: -- no transaction: <why>',
} as const

export type Rule = keyof typeof mends

export interface Found {
  readonly rule: Rule
  readonly what: string
}

/** What the file has done so far, and how it runs. */
export interface LintContext {
  /** Names that the file makes itself. */
  readonly made: ReadonlySet<string>
  /** It runs without transaction. */
  readonly alone: boolean
  /** Tables that got a constraint in this file. */
  readonly constrained: Set<string>
}

/** A name as SQL writes it, in lower case. */
export const NAME = '(?:"(?:[^"]|"")+"|[\\w$]+)'

const name = new RegExp(`${NAME}(?:\\.${NAME})*`, 'g')

export const namesIn = (list: string): readonly string[] => list.match(name) ?? []

export const isNew = (table: string, { made }: LintContext): boolean => made.has(table)
