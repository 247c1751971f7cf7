import { findInAlterTable } from './lint-alter-table.ts'
import { type Found, isNew, type LintContext, mends, NAME, namesIn, type Rule } from './lint-rule.ts'
import { type Migration, whyNoTransaction } from './migration.ts'
import { type Statement, splitStatements } from './statements.ts'

/** What a migration does that people who use the previous release at the same time would feel. */
export interface MigrationFinding {
  /** `platform/0007-operations.sql:3` */
  readonly where: string
  readonly rule: Rule
  readonly says: string
}

const REASON_MIN = 10

/**
 * Reads one file for what breaks or blocks the release that runs while it is applied. Tables that the file makes itself
 * are free. `-- allow <rule>: <reason>` before or in a statement accepts it.
 */
export function lintMigration(migration: Pick<Migration, 'app' | 'name' | 'text'>): readonly MigrationFinding[] {
  const statements = splitStatements(migration.text)
  const alone = whyNoTransaction(migration) !== undefined
  const context: LintContext = { made: madeBy(statements), alone, constrained: new Set() }
  const findings = statements.flatMap((statement) =>
    findIn(statement, context)
      .filter(({ rule }) => !isAllowed(statement, rule))
      .map(({ rule, what }) => ({
        where: `${migration.app}/${migration.name}:${statement.line}`,
        rule,
        says: `${what}\n    HINT: ${mends[rule]}`,
      })),
  )
  if (!alone || statements.length === 1) return findings
  const what = `a file without transaction holds ${statements.length} statements, not one`
  return [...findings, { where: `${migration.app}/${migration.name}:1`, rule: 'transaction', says: what }]
}

function isAllowed({ comments }: Statement, rule: Rule): boolean {
  return comments.some((comment) => {
    const [, named, reason = ''] = /^allow ([a-z-]+): *(.*)$/.exec(comment) ?? []
    return named === rule && reason.length >= REASON_MIN
  })
}

const making = new RegExp(
  `^create (?:or replace )?(?:unlogged )?(?:table|schema|view|materialized view|function|procedure|type|sequence|policy|trigger|(?:unique )?index(?: concurrently)?)(?: if not exists)? (${NAME}(?:\\.${NAME})?)`,
)

function madeBy(statements: readonly Statement[]): ReadonlySet<string> {
  const names = statements.map(({ text }) => making.exec(plain(text))?.[1])
  return new Set(names.filter((name) => name !== undefined))
}

/** In lower case, and what is quoted as text left out: words in it are no SQL. */
function plain(text: string): string {
  return text
    .replace(/\$(\w*)\$.*?\$\1\$/gs, "''")
    .replace(/[eE]?'(?:[^']|'')*'/g, "''")
    .toLowerCase()
}

const dynamic = /\bexecute\b|\b(alter|drop|truncate|update|delete from|create (?:unique )?index)\b/i

function findIn(statement: Statement, context: LintContext): readonly Found[] {
  const text = plain(statement.text)
  const [verb] = text.split(' ', 1)
  if (verb === 'do')
    return hides(statement.text, context) ? [{ rule: 'hidden', what: 'a do block changes something' }] : []
  if (text.startsWith('alter table')) return findInAlterTable(text, context)
  if (verb === 'alter') return renames(text, context)
  if (verb === 'drop' || verb === 'truncate' || verb === 'revoke') return drops(text, context)
  if (verb === 'create') return indexes(text, context)
  if (verb === 'cluster' || /^vacuum\b.*\bfull\b/.test(text)) return [{ rule: 'table-rewrite', what: text }]
  if (verb === 'update' || verb === 'delete' || verb === 'with') return backfills(text, context)
  return []
}

/** A loop over names of tables that the file makes, each in the schema where it makes them, hides nothing. */
function hides(block: string, context: LintContext): boolean {
  if (!dynamic.test(block)) return false
  const names = [...block.matchAll(/\barray ?\[([^\]]*)\]/g)].flatMap(([, list = '']) => list.match(/\w+/g) ?? [])
  const schemas = [...block.matchAll(/(\w+)\.%I/g)].map(([, schema = '']) => schema)
  const isOpen = /\b(?:table|on|from|update)\s+(?!\w+\.%I)/.test(block)
  return (
    isOpen ||
    names.length === 0 ||
    !schemas.every((schema) => names.every((name) => isNew(`${schema}.${name}`, context)))
  )
}

function renames(text: string, context: LintContext): readonly Found[] {
  const [, name = ''] =
    new RegExp(
      `^alter (?:view|materialized view|function|procedure|schema|sequence|type) (${NAME}(?:\\.${NAME})?)`,
    ).exec(text) ?? []
  const isRenamed = name !== '' && / (?:rename (?:to|value|attribute|column)|set schema) /.test(text)
  return isRenamed && !isNew(name, context) ? [{ rule: 'rename', what: `${name} gets another name` }] : []
}

const dropping =
  /^drop (table|view|materialized view|function|procedure|schema|sequence|type|domain|policy|trigger|index)( concurrently)?(?: if exists)? (.*?)(?: cascade| restrict)?$/

function drops(text: string, context: LintContext): readonly Found[] {
  const [, kind, concurrently, dropped = ''] = dropping.exec(text) ?? []
  if (kind === 'index') return dropsIndex(text, dropped, concurrently !== undefined, context)
  const emptied = /^truncate (?:table )?(?:only )?(.*)/.exec(text)?.[1]
  const revoked = /^revoke .+? on (?!(?:all )?(?:function|procedure|routine|schema|sequence)s? )(?:table )?(.+?) from /
  const names = kind ? dropped.replace(/\(.*?\)| on .*/g, '') : (emptied ?? revoked.exec(text)?.[1] ?? '')
  // Another one of the same name takes other arguments than the previous release gives.
  const isReplaced = kind !== 'function' && kind !== 'procedure'
  return namesIn(names)
    .filter((name) => !(isReplaced && isNew(name, context)))
    .map((name) => ({ rule: 'drop', what: `${text.split(' ', 1)[0]} ${kind ?? 'on'} ${name}` }))
}

function dropsIndex(text: string, dropped: string, concurrently: boolean, context: LintContext): readonly Found[] {
  if (concurrently) return context.alone ? [] : [{ rule: 'transaction', what: text }]
  return namesIn(dropped)
    .filter((name) => !isNew(name.replace(/^.*\./, ''), context))
    .map((name) => ({ rule: 'index-lock', what: `the index ${name} is dropped while nobody can use its table` }))
}

const building = new RegExp(
  `^create (?:unique )?index (?<concurrently>concurrently )?(?:if not exists )?(?:${NAME} )?on (?:only )?(?<table>${NAME}(?:\\.${NAME})?)`,
)

function indexes(text: string, context: LintContext): readonly Found[] {
  const { concurrently, table } = building.exec(text)?.groups ?? {}
  if (!table) return []
  if (concurrently) return context.alone ? [] : [{ rule: 'transaction', what: text }]
  return isNew(table, context)
    ? []
    : [{ rule: 'index-lock', what: `an index is built while nobody can write to ${table}` }]
}

function backfills(text: string, context: LintContext): readonly Found[] {
  const changing = new RegExp(
    `(?<!\\b(?:for|do|no key) )\\b(?:update|delete from) (?:only )?(${NAME}(?:\\.${NAME})?)`,
    'g',
  )
  return [...text.matchAll(changing)]
    .map(([, name = '']) => name)
    .filter((name) => !isNew(name, context))
    .map((name) => ({ rule: 'backfill', what: `rows of ${name} are changed in one transaction` }))
}
