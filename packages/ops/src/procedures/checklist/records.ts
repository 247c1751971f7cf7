import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Installation, settingsOf } from '../doctor/installation.ts'
import { readIfThere } from '../host/write-file.ts'

/** What somebody signed, or what a long command said. One line of JSON each, never changed. */
export interface ChecklistRecord {
  readonly phase: string
  readonly item: string
  /** A person's name, or the command. */
  readonly by: string
  readonly at: string
  readonly expiresAt: string
  /** The commit that was judged. */
  readonly release: string
  /** SHA-256 of the verdicts that were seen with it. */
  readonly seen: string
  /** Of a command. */
  readonly code?: number
}

/** Where releases share their data, or below the data directory. */
const recordsPath = (here: Installation): string =>
  here.host ? join(here.host.layout.shared, 'checklist.jsonl') : join(settingsOf(here).dataDirectory, 'checklist.jsonl')

export function addRecord(here: Installation, record: ChecklistRecord): void {
  if (here.missingSecrets.includes('AUDIT_SECRET'))
    throw new Error('There is no AUDIT_SECRET yet to sign with.\n    HINT: npm start')
  const path = recordsPath(here)
  mkdirSync(dirname(path), { recursive: true })
  appendFileSync(path, `${JSON.stringify({ ...record, mac: macOf(here, record) })}\n`, { mode: 0o600 })
}

export interface KeptRecord extends ChecklistRecord {
  /** It is as it was written. */
  readonly isWhole: boolean
}

/** The newest of each item. */
export function readRecords(here: Installation, phase: string): ReadonlyMap<string, KeptRecord> {
  const lines = (readIfThere(recordsPath(here)) ?? '').split('\n').filter(Boolean)
  return new Map(
    lines.flatMap((line) => {
      const record = parse(here, line)
      return record?.phase === phase ? [[record.item, record] as const] : []
    }),
  )
}

function parse(here: Installation, line: string): KeptRecord | undefined {
  try {
    const { mac, ...record } = JSON.parse(line) as ChecklistRecord & { mac: string }
    const [given, expected] = [Buffer.from(String(mac)), Buffer.from(macOf(here, record))]
    return { ...record, isWhole: given.length === expected.length && timingSafeEqual(given, expected) }
  } catch {
    // A line that a crash cut off says nothing.
    return undefined
  }
}

/** Whoever can write the file cannot sign for somebody else without the secret of the audit. */
function macOf(here: Installation, record: ChecklistRecord): string {
  const key = createHmac('sha256', settingsOf(here).secrets.auditSecret.reveal()).update('checklist').digest()
  return createHmac('sha256', key)
    .update(JSON.stringify(Object.entries(record).sort()))
    .digest('hex')
}

/** Of verdicts, not of words: how much of the disk is free changes with each look. */
export const hashOf = (release: string, verdicts: readonly (readonly [item: string, isWell: boolean])[]): string =>
  createHash('sha256')
    .update(JSON.stringify([release, ...verdicts]))
    .digest('hex')
