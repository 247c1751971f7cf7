import { type Found, isNew, type LintContext, NAME, type Rule } from './lint-rule.ts'

const head = new RegExp(`^alter table (?:if exists )?(?:only )?(${NAME}(?:\\.${NAME})?)\\*? (.*)$`, 's')
const addingColumn = new RegExp(
  `^add (?:column )?(?:if not exists )?(?!constraint |check |check\\(|foreign |unique |unique\\(|primary |exclude )${NAME} `,
)
const ofColumn = `^alter (?:column )?${NAME} `
/** Gives every row a value of its own, so every row is written. */
const volatile =
  /default .*\b(?:random|clock_timestamp|gen_random_uuid|uuid_generate_\w+|uuidv[47]|nextval|timeofday)\(|\b(?:big|small)?serial\b|generated .*(?:stored|identity)/

/** What an action does to a table that is in use. The first match counts; undefined is harmless. */
const actions: readonly (readonly [RegExp, Rule | undefined])[] = [
  [new RegExp(`${ofColumn}(?:set data )?type `), 'type-change'],
  [new RegExp(`${ofColumn}set not null`), 'not-null'],
  [new RegExp(`${ofColumn}drop (?:default|expression|identity)`), 'drop'],
  [/^drop constraint /, undefined],
  [/^drop /, 'drop'],
  [/^(?:rename|set schema) /, 'rename'],
  [/^add (?:constraint \S+ )?(?:unique|primary key) using index /, undefined],
  [/^add (?:constraint \S+ )?(?:unique|primary key|exclude)\b/, 'index-lock'],
  [/^add (?:constraint \S+ )?(?:check|foreign key)\b.* not valid$/s, undefined],
  [/^add (?:constraint \S+ )?(?:check|foreign key|not null)\b/, 'constraint-scan'],
  [/^set (?:logged|unlogged|tablespace|access method)\b/, 'table-rewrite'],
]

/** @param text In lower case, without quoted text. */
export function findInAlterTable(text: string, context: LintContext): readonly Found[] {
  const [, table = '', rest = ''] = head.exec(text) ?? []
  if (isNew(table, context)) return []
  return splitAtCommas(rest).flatMap((action) =>
    rulesOf(action, table, context).map((rule) => ({ rule, what: `${table}: ${action}` })),
  )
}

function rulesOf(action: string, table: string, { constrained }: LintContext): readonly Rule[] {
  if (addingColumn.test(action)) return rulesOfColumn(action)
  // The lock of the first statement is held while the second one reads every row.
  if (/^validate constraint /.test(action)) return constrained.has(table) ? ['constraint-scan'] : []
  if (/^add (?:constraint|check|foreign)/.test(action)) constrained.add(table)
  const [, rule] = actions.find(([form]) => form.test(action)) ?? []
  return rule ? [rule] : []
}

function rulesOfColumn(action: string): readonly Rule[] {
  const rules: Rule[] = []
  if (/\bnot null\b/.test(action) && !/\b(?:default|generated|serial)\b/.test(action)) rules.push('not-null')
  if (volatile.test(action)) rules.push('table-rewrite')
  if (/\b(?:unique|primary key)\b/.test(action)) rules.push('index-lock')
  if (/\bcheck ?\(/.test(action)) rules.push('constraint-scan')
  return rules
}

/** At commas that no parenthesis encloses. */
function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = []
  let [depth, part] = [0, '']
  for (const character of text) {
    if (character === '(') depth++
    if (character === ')') depth--
    if (character === ',' && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += character
  }
  return [...parts, part.trim()]
}
