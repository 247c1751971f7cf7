import { MINUTE } from '@seaworthy/core'
import type { PgSingleClient } from '../data/index.ts'
import type { KnownHeads } from './heads.ts'
import { type AuditLine, lineColumns } from './line.ts'
import { emptyChain, type Seal, type SealKey } from './seal.ts'

/** What is wrong with a line or its place. */
export interface AuditFault {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'reordered' | 'truncated'
  /** The account, or zeros. */
  readonly chain: string
  /** Its number in the chain; undefined for a line that has none. */
  readonly seq?: number | undefined
  readonly lineId?: string | undefined
  /** When it was made or sealed, as far as that is known. */
  readonly at?: string | undefined
  readonly says: string
}

export interface AuditVerdict {
  readonly chains: number
  readonly lines: number
  /** Lines that wait for their seal. */
  readonly waiting: number
  /** The first ones, in the order of chains and numbers; then what was inserted and cut off. */
  readonly faults: readonly AuditFault[]
}

export interface VerifySettings {
  /** May read everything; its own transaction is used and rolled back. */
  readonly client: PgSingleClient
  readonly key: SealKey
  readonly known: KnownHeads
  /** Lines older than this may have been forgotten. In milliseconds since 1970. */
  readonly forgottenBefore: number
  readonly faultsMax?: number
}

/** A seal with its line, whose columns are null when it is gone. */
type SealedRow = Omit<Seal, 'seq'> & { readonly seq: string | number } & (AuditLine | { readonly id: null })

const PAGE = 5_000
const FAULTS_MAX = 20

/**
 * Follows every chain from its first seal to its last, in one snapshot, and compares with what is known outside the
 * database. Nothing that the database computes is believed: it gives columns, and everything else is done here.
 */
export async function verifyAudit(settings: VerifySettings): Promise<AuditVerdict> {
  const { client, faultsMax = FAULTS_MAX } = settings
  await client.query('begin isolation level repeatable read read only')
  try {
    const walk = createWalk(settings)
    let complete = false
    for (let after: SealedRow | undefined; !complete && walk.faults.length < faultsMax; ) {
      const rows = await readPage(client, after)
      for (const row of rows) walk.visit(row)
      after = rows.at(-1)
      complete = rows.length < PAGE
    }
    const cutOff = complete ? walk.findTruncated() : []
    const faults = [...walk.faults, ...(await findInserted(client, faultsMax)), ...cutOff]
    const waiting = await client.query<{ count: number }>('select count(*)::int as count from seaworthy.audit_unsealed')
    return {
      chains: walk.chains(),
      lines: walk.lines(),
      waiting: waiting.rows[0]?.count ?? 0,
      faults: faults.slice(0, faultsMax),
    }
  } finally {
    await client.query('rollback')
  }
}

const text = lineColumns.compile().sql

async function readPage(client: PgSingleClient, after: SealedRow | undefined): Promise<SealedRow[]> {
  const { rows } = await client.query<SealedRow>(
    `select ${text}, s.chain, s.seq, s.line_id as "lineId", s.line_mac as "lineMac", s.previous, s.mac,
       to_char(s.sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "sealedAt"
     from seaworthy.audit_seals s left join seaworthy.audit a on a.id = s.line_id
     where $1::uuid is null or (s.chain, s.seq) > ($1::uuid, $2::bigint)
     order by s.chain, s.seq limit ${PAGE}`,
    [after?.chain ?? null, after?.seq ?? null],
  )
  return rows
}

interface SeenChain {
  readonly first: number
  last: number
  /** When the last one was sealed. */
  at: string
  /** The seal that stands where the head outside the database says. */
  atHead: string | undefined
}

/** Goes along the chains, one seal after the other, and remembers what is wrong. */
function createWalk({ key, known, forgottenBefore }: VerifySettings) {
  const faults: AuditFault[] = []
  const seen = new Map<string, SeenChain>()
  let head = emptyChain('')
  let newestMs = 0
  let lines = 0
  const visit = (row: SealedRow): void => {
    const seal: Seal = { ...row, seq: Number(row.seq) }
    const begins = head.chain !== seal.chain
    if (begins) {
      head = emptyChain(seal.chain)
      newestMs = 0
    }
    const isOld = Date.parse(seal.sealedAt) < forgottenBefore
    const problem = problemOf(key, seal, row, { head, begins, isOld, newestMs })
    if (row.id !== null) newestMs = Math.max(newestMs, Date.parse(row.at))
    if (problem) faults.push({ chain: seal.chain, ...problem })
    const chain = seen.get(seal.chain) ?? { first: seal.seq, atHead: undefined, last: 0, at: '' }
    if (known.heads.get(seal.chain)?.seq === seal.seq) chain.atHead = seal.mac.toString('base64url')
    seen.set(seal.chain, Object.assign(chain, { last: seal.seq, at: seal.sealedAt }))
    head = seal
    lines++
  }
  const findTruncated = (): AuditFault[] =>
    [...known.heads].flatMap(([chain, head]) => truncationOf(chain, head, seen.get(chain)) ?? [])
  return { visit, faults, findTruncated, chains: () => seen.size, lines: () => lines }
}

interface Place {
  readonly head: { readonly seq: number; readonly mac: Buffer }
  /** This is the first seal that is there of its chain. */
  readonly begins: boolean
  /** Lines of its time may have been forgotten. */
  readonly isOld: boolean
  /** Of the lines before it. */
  readonly newestMs: number
}

/** No transaction is longer: a line that was begun so long before its neighbours was written later than it says. */
const TRANSACTION_MAX_MS = 65 * MINUTE

type Problem = Pick<AuditFault, 'kind' | 'says'> & { readonly seq?: number }

function problemOf(key: SealKey, seal: Seal, row: SealedRow, place: Place): Omit<AuditFault, 'chain'> | undefined {
  const { seq, lineId, sealedAt } = seal
  const problem = problemOfPlace(key, seal, place) ?? problemOfLine(key, seal, row, place)
  return problem && { seq, lineId, at: row.id === null ? sealedAt : row.at, ...problem }
}

function problemOfPlace(key: SealKey, seal: Seal, { begins, isOld, head }: Place): Problem | undefined {
  const follows = begins ? seal.seq === 1 || isOld : seal.seq === head.seq + 1
  if (!follows)
    return { kind: 'missing', seq: head.seq + 1, says: `numbers ${head.seq + 1} to ${seal.seq - 1} are gone` }
  const isLinked = seal.previous.equals(head.mac) || (begins && seal.seq > 1)
  if (!isLinked) return { kind: 'reordered', says: 'its seal does not follow the one before it' }
  if (key.isGenuine(seal)) return undefined
  return { kind: 'changed', says: 'its seal was changed, or was made with another AUDIT_SECRET' }
}

function problemOfLine(key: SealKey, seal: Seal, row: SealedRow, { isOld, newestMs }: Place): Problem | undefined {
  if (row.id === null) return isOld ? undefined : { kind: 'missing', says: 'its seal is there and the line is gone' }
  if (!key.holds(seal, row)) return { kind: 'changed', says: 'it is not what was sealed' }
  if (Date.parse(row.at) >= newestMs - TRANSACTION_MAX_MS) return undefined
  return { kind: 'inserted', says: `it says ${row.at} and was sealed ${seal.sealedAt}, after newer ones` }
}

function truncationOf(
  chain: string,
  { seq, mac }: { readonly seq: number; readonly mac: string },
  found: SeenChain | undefined,
): AuditFault | undefined {
  if (!found) return { kind: 'truncated', chain, seq: 1, says: `the whole chain, which had ${seq} lines, is gone` }
  if (seq < found.first || found.atHead === mac) return undefined
  const says =
    found.last < seq
      ? `the chain ended with number ${seq} and now ends with ${found.last}, sealed ${found.at}`
      : `number ${seq} is not the one that was sealed: the end was cut off and written again`
  return { kind: 'truncated', chain, seq: Math.min(seq, found.last + 1), says }
}

/** A line that has no seal and does not wait for one was written past the trigger. */
async function findInserted(client: PgSingleClient, max: number): Promise<AuditFault[]> {
  const { rows } = await client.query<AuditLine>(
    `select ${text} from seaworthy.audit a
     where not exists (select 1 from seaworthy.audit_seals s where s.line_id = a.id)
       and not exists (select 1 from seaworthy.audit_unsealed w where w.id = a.id)
     order by a.id limit ${max}`,
  )
  return rows.map(({ id, accountId, at }) => ({
    kind: 'inserted' as const,
    chain: accountId ?? emptyChain('').chain,
    lineId: id,
    at,
    says: 'it has no seal and does not wait for one',
  }))
}
