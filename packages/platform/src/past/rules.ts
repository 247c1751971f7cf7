import type { Table } from '../data/index.ts'

/** A table as an app declares it. */
export type AppTable = Pick<Table, 'name' | 'columns'>

/** Tables of the platform with people in them: what is never put back as it was, and why. A test asks for the reason of each new one. */
export const neverMerged: Readonly<Record<string, string>> = {
  'seaworthy.ledger': 'what was paid is only added to: correct it with new lines',
  'seaworthy.audit': 'a chain is never rewritten, and tells of this too',
  'seaworthy.jobs': 'work of then is over',
  'seaworthy.events': 'repeats what happened, for an hour',
  'seaworthy.sessions': 'people sign in again',
  'seaworthy.idempotency': 'repeats answers, for two days',
  'seaworthy.memberships': 'who belongs to an account its owners decide: they invite again',
  'seaworthy.invitations': 'owners invite again',
  'seaworthy.api_keys': 'what was revoked stays revoked: make another one',
  'seaworthy.provider_keys': 'a secret that was taken out is given again by whoever has it',
  'seaworthy.account_keys': 'values are sealed again with the keys of now',
  'seaworthy.consents': 'what was agreed to is only added to',
  'seaworthy.passkeys': 'what was taken out stays out: enrol again',
  'seaworthy.totp': 'what was taken out stays out: enrol again',
  'seaworthy.recovery_codes': 'each is good once',
  'seaworthy.challenges': 'good for minutes',
  'seaworthy.one_time_links': 'good once',
  'seaworthy.ai_usage': 'what was asked of engines is only added to',
  'seaworthy.ai_answers': 'kept answers are asked for again',
  'seaworthy.ai_flights': 'who asks an engine, for seconds',
  'seaworthy.ai_budgets': 'sums of what was asked',
  'seaworthy.ai_reservations': 'calls under way, for seconds',
  'seaworthy.blobs': 'files come back with the rows that refer to them',
  'seaworthy.blob_references': 'come back with the rows that refer to files',
}

/** Their rows are nobody's to see but on duty, so a parent there is looked up on duty. */
export const USERS = 'seaworthy.users'
export const ACCOUNTS = 'seaworthy.accounts'

/** The tables of the apps whose rows belong to accounts. */
export const mergedTables = (tables: readonly AppTable[]): readonly AppTable[] =>
  tables.filter(({ columns }) => 'account_id' in columns)

/** The one that was named. Throws with the reason when it is never put back. */
export function findTable(tables: readonly AppTable[], name: string): AppTable {
  const why = neverMerged[name]
  if (why) throw new Error(`${name} is never put back: ${why}.`)
  const found = tables.find((table) => table.name === name)
  if (!found)
    throw new Error(
      `No app declares a table ${name}.\n    HINT: one of ${mergedTables(tables)
        .map((table) => table.name)
        .join(', ')}`,
    )
  if (!('account_id' in found.columns))
    throw new Error(
      `The rows of ${name} belong to no account.\n    HINT: look at them beside what runs: seaworthy restore --into DIRECTORY`,
    )
  return found
}

export const sealedColumnsOf = ({ columns }: AppTable): ReadonlySet<string> =>
  new Set(Object.entries(columns).flatMap(([name, column]) => (column.sealed ? [name] : [])))

/** What is nobody's business who only looks: sealed, personal, or declared by no app. */
export function maskOf({ columns }: AppTable, name: string): string | undefined {
  const column = columns[name]
  if (!column) return '(not declared)'
  if (column.sealed) return '(sealed)'
  return column.pii ? '(personal)' : undefined
}
