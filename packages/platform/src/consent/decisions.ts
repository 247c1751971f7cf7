import { type AccountCaller, type Caller, fault, newId, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import type { Consent } from './consent.ts'

/** What was agreed to or taken back, by whom and when. Never changed. */
export interface Decision {
  readonly id: string
  readonly purpose: string
  readonly version: number
  /** The words at that time. */
  readonly text: string
  readonly given: boolean
  readonly how: ConsentWay
  /** Null once the person is erased. */
  readonly userId: UserId | null
  readonly createdAt: Date
}

/** In a page of ours, or by another program that somebody signed in to. */
export type ConsentWay = 'page' | 'program'

/** By which request. */
export interface ConsentOrigin {
  readonly how: ConsentWay
  readonly requestId: string
}

const shown = sql`id, purpose, version, text, given, how, user_id as "userId", created_at as "createdAt"`

/** The newest decision of the account for each of these purposes, where there is one. */
export async function readNewest(
  tx: Transaction,
  caller: AccountCaller,
  purposes: readonly string[],
): Promise<ReadonlyMap<string, Decision>> {
  const rows = await tx.many<Decision>(sql`
    select newest.* from unnest(${purposes}::text[]) as asked (name) cross join lateral (
      select ${shown} from seaworthy.consents where account_id = ${caller.accountId} and purpose = asked.name
      order by seq desc limit 1) newest`)
  return new Map(rows.map((row) => [row.purpose, row]))
}

/** All decisions of the account, newest first. */
export function readDecisions(
  tx: Transaction,
  caller: AccountCaller,
  limit: number,
  after?: string,
): Promise<readonly Decision[]> {
  const older = after
    ? sql`seq < (select seq from seaworthy.consents where account_id = ${caller.accountId} and id = ${after})`
    : sql`true`
  return tx.many<Decision>(sql`
    select ${shown} from seaworthy.consents where account_id = ${caller.accountId} and ${older} order by seq desc limit ${limit}`)
}

/**
 * Agrees to the words of `version`, which must be the ones of this release. Agreeing again changes nothing.
 * @throws `conflict` when the words have changed since they were read.
 */
export async function giveConsent(
  tx: Transaction,
  caller: Caller,
  consent: Consent,
  version: number,
  origin: ConsentOrigin,
): Promise<void> {
  if (version !== consent.version)
    throw fault('conflict', { detail: 'The words have changed since you read them. Please read them again.' })
  const newest = await lockNewest(tx, caller, consent.name)
  if (newest?.given && newest.version === version) return
  await append(tx, caller, { purpose: consent.name, version, text: consent.text, given: true }, origin)
}

/**
 * Takes back what was agreed to, whichever release asked for it. Taking it back again changes nothing.
 * @throws `not_found` when the account never decided about this purpose.
 */
export async function withdrawConsent(
  tx: Transaction,
  caller: Caller,
  purpose: string,
  origin: ConsentOrigin,
): Promise<void> {
  const newest = await lockNewest(tx, caller, purpose)
  if (!newest) throw fault('not_found', { detail: 'Nothing was agreed to that could be taken back.' })
  if (newest.given) await append(tx, caller, { ...newest, given: false }, origin)
}

/** Decisions about one purpose are made one after the other: each sees the one before. */
async function lockNewest(tx: Transaction, caller: Caller, purpose: string): Promise<Decision | undefined> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended(${`consent ${caller.accountId} ${purpose}`}, 0))`)
  return (await readNewest(tx, caller, [purpose])).get(purpose)
}

type Decided = Pick<Decision, 'purpose' | 'version' | 'text' | 'given'>

async function append(tx: Transaction, caller: Caller, decided: Decided, origin: ConsentOrigin): Promise<void> {
  const { purpose, version, text, given } = decided
  await tx.run(sql`
    insert into seaworthy.consents (id, account_id, user_id, purpose, version, text, given, how, request_id)
    values (${newId()}, ${caller.accountId}, ${caller.userId}, ${purpose}, ${version}, ${text}, ${given}, ${origin.how}, ${origin.requestId})`)
}
