import { createHash, randomBytes } from 'node:crypto'
import { type Clock, fault, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

export type LinkKind = 'email_verify' | 'email_change' | 'password_reset' | 'invitation'

export interface NewLink {
  readonly kind: LinkKind
  /** Where it is sent: whoever uses the link has shown that they read the mail of this address. */
  readonly email: string
  /** Whose it is; an invitation may be nobody's yet. */
  readonly userId?: UserId | undefined
  /** What else it is about, such as the id of an invitation. */
  readonly about?: string | undefined
  readonly lifeMs: number
}

export interface OneTimeLink {
  readonly kind: LinkKind
  readonly email: string
  readonly userId: UserId | null
  readonly about: string | null
}

const RANDOM_BYTES = 32
const tokenForm = /^[\w-]{43}$/
/** 256 random bits: no list of guesses holds them, so one round of hashing is enough. */
const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/**
 * Makes a link and ends the earlier ones of its kind: of the same person, or about the same thing. For the duty `identity`.
 *
 * @returns the token, which is not kept.
 */
export async function makeLink(
  tx: Transaction,
  link: NewLink,
  clock: Clock,
): Promise<{ readonly token: string; readonly expiresAt: Date }> {
  const token = randomBytes(RANDOM_BYTES).toString('base64url')
  const now = clock.now()
  const expiresAt = new Date(now + link.lifeMs)
  await endLinks(tx, link, clock)
  await tx.run(sql`
    insert into seaworthy.one_time_links (token_hash, kind, user_id, email, about, created_at, expires_at)
    values (${hashToken(token)}, ${link.kind}, ${link.userId ?? null}, ${link.email}, ${link.about ?? null}, ${new Date(now)}, ${expiresAt})`)
  return { token, expiresAt }
}

/**
 * Uses a link up: of several who try it at once, one succeeds. For the duty `identity`.
 *
 * @throws `link_expired` when it is unknown, of another kind, used, ended or too old; which of them is not said.
 */
export async function useLink(
  tx: Transaction,
  kinds: readonly LinkKind[],
  token: string,
  clock: Clock,
): Promise<OneTimeLink> {
  const now = new Date(clock.now())
  const used = tokenForm.test(token)
    ? await tx.maybe<OneTimeLink>(sql`
        update seaworthy.one_time_links set used_at = ${now}
        where token_hash = ${hashToken(token)} and kind = any (${kinds}) and used_at is null and expires_at > ${now}
        returning kind, email, user_id as "userId", about`)
    : undefined
  if (!used) throw expired()
  return used
}

const expired = () => fault('link_expired', { detail: 'It was used already, or is too old. Ask for a new one.' })

/** Looks at a link without using it up. Throws `link_expired`, as `useLink` would. */
export async function peekLink(tx: Transaction, kind: LinkKind, token: string, clock: Clock): Promise<OneTimeLink> {
  const found = tokenForm.test(token)
    ? await tx.maybe<OneTimeLink>(sql`
        select kind, email, user_id as "userId", about from seaworthy.one_time_links
        where token_hash = ${hashToken(token)} and kind = ${kind} and used_at is null and expires_at > ${new Date(clock.now())}`)
    : undefined
  if (!found) throw expired()
  return found
}

/** Links of a person, or about a thing, that nobody may use any more; of all kinds when none is given. */
export async function endLinks(
  tx: Transaction,
  of: { readonly kind?: LinkKind; readonly userId?: UserId | undefined; readonly about?: string | undefined },
  clock: Clock,
): Promise<void> {
  if (!of.userId && !of.about) return
  await tx.run(sql`
    update seaworthy.one_time_links set used_at = ${new Date(clock.now())}
    where used_at is null and (${of.kind ?? null}::text is null or kind = ${of.kind ?? null})
      and (${of.userId ?? null}::uuid is null or user_id = ${of.userId ?? null}) and (${of.about ?? null}::uuid is null or about = ${of.about ?? null})`)
}

/** How many links of a kind a person was sent since then. */
export async function countLinks(tx: Transaction, kind: LinkKind, userId: UserId, since: Date): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select count(*)::int as count from seaworthy.one_time_links
    where user_id = ${userId} and kind = ${kind} and created_at > ${since}`)
  return count
}
