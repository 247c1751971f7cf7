import { join } from 'node:path'
import { parseDuration } from '@seaworthy/core'
import {
  type AuditFilter,
  type AuditFormat,
  type AuditLine,
  type AuditVerdict,
  auditFormats,
  createSealKey,
  csvHeader,
  openHeadsFile,
  readLines,
  toCsv,
  toJsonLines,
  verifyAudit,
} from '@seaworthy/platform/audit'
import { readConfig } from '@seaworthy/platform/config'
import { openClient } from '@seaworthy/platform/data'
import type { Command } from 'commander'
import { connectionOf } from './database.ts'
import { findPlace } from './place.ts'
import { withOwner } from './with-owner.ts'

interface ListFlags {
  readonly account?: string
  readonly user?: string
  readonly action?: string
  readonly outcome?: 'done' | 'refused'
  readonly security?: boolean
  readonly since?: string
  readonly limit: string
  readonly format: string
}

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('who did what, and whether somebody changed it afterwards')
  audit
    .command('verify')
    .description('follow every chain; exit code 1 and the first bad lines when something was changed')
    .option('--after-restore', 'an older database was put back on purpose: what was sealed after it is gone')
    .action((flags: { afterRestore?: boolean }) => verify(flags.afterRestore ?? false))
  for (const [name, limit, format] of [
    ['list', '50', 'text'],
    ['export', '1000000', 'jsonl'],
  ] as const)
    audit
      .command(name)
      .description(name === 'list' ? 'show lines, newest first' : 'print lines for other programs, newest first')
      .option('--account <id>', 'of this account')
      .option('--user <id>', 'by this user')
      .option('--action <name>', 'such as sign_in')
      .option('--outcome <outcome>', 'done or refused')
      .option('--security', 'security events only')
      .option('--since <duration>', 'not older than, such as 7d')
      .option('--limit <number>', 'at most so many', limit)
      .option('--format <format>', 'text, csv or jsonl', format)
      .action(print)
}

async function verify(afterRestore: boolean): Promise<void> {
  const config = readConfig(findPlace().directory)
  const heads = openHeadsFile(join(config.dataDirectory, 'audit'))
  if (afterRestore) await heads.addRestored(new Date())
  const { endpoint, login } = connectionOf(config, 'admin')
  const client = await openClient(endpoint, login, 'audit-verify')
  try {
    await client.query('set role seaworthy_owner')
    const known = await heads.read()
    const verdict = await verifyAudit({
      client,
      key: createSealKey(config.secrets.auditSecret),
      known,
      forgottenBefore: Math.max(known.forgottenBefore, Date.now() - config.auditRetentionMs),
    })
    report(verdict, known.heads.size)
  } finally {
    await client.end()
  }
}

function report({ chains, lines, waiting, faults }: AuditVerdict, anchored: number): void {
  const out = faults.map(
    ({ kind, chain, seq, lineId, at, says }) =>
      `${kind.toUpperCase()}  chain ${chain}${seq === undefined ? '' : `, number ${seq}`}${lineId ? `, line ${lineId}` : ''}${at ? `, ${at}` : ''}: ${says}`,
  )
  out.push(
    `${lines} lines in ${chains} chains, ${anchored} with their end known outside the database, ${waiting} wait for their seal`,
  )
  out.push(faults.length ? 'The audit is NOT as it was written.' : 'The audit is as it was written.')
  if (faults.some((fault) => fault.kind === 'truncated'))
    out.push('HINT: if you put an older database back on purpose: seaworthy audit verify --after-restore')
  process.stdout.write(`${out.join('\n')}\n`)
  process.exitCode = faults.length ? 1 : 0
}

const PAGE = 1_000

async function print(flags: ListFlags): Promise<void> {
  const { write, format } = printerOf(flags.format)
  const filter = filterOf(flags)
  const limit = Number(flags.limit)
  if (!Number.isInteger(limit) || limit < 1) throw new Error('--limit is a whole number above 0')
  if (format === 'csv') write(csvHeader)
  let before: string | undefined
  for (let left = limit; left > 0; ) {
    const size = Math.min(PAGE, left)
    const lines = await withOwner((tx) => readLines(tx, filter, size, before))
    write(format === 'csv' ? toCsv(lines) : format === 'jsonl' ? toJsonLines(lines) : lines.map(toText).join(''))
    before = lines.at(-1)?.id
    left -= lines.length
    if (lines.length < size) return
  }
}

function printerOf(given: string): { readonly write: (text: string) => void; readonly format: AuditFormat | 'text' } {
  const format = ['text' as const, ...auditFormats].find((known) => known === given)
  if (!format) throw new Error(`There is no format ${given}.\n    HINT: text, csv or jsonl`)
  return { format, write: (text) => void process.stdout.write(text) }
}

function filterOf({ account, user, action, outcome, security, since }: ListFlags): AuditFilter {
  const ms = since === undefined ? undefined : parseDuration(since)
  if (since !== undefined && ms === undefined) throw new Error(`${since} is no duration.\n    HINT: --since 7d`)
  if (outcome && outcome !== 'done' && outcome !== 'refused') throw new Error('--outcome is done or refused')
  return {
    accountId: account,
    userId: user,
    action,
    outcome,
    kind: security ? 'security' : undefined,
    from: ms === undefined ? undefined : new Date(Date.now() - ms),
  }
}

export const toText = (line: AuditLine): string =>
  `${line.at.slice(0, 19)}Z  ${line.outcome.padEnd(7)} ${String(line.status).padEnd(3)} ${line.action.padEnd(20)} ${line.accountId ?? 'no account'}  ${line.userId ?? 'nobody'}  ${line.network}${line.errorCode ? `  ${line.errorCode}` : ''}\n`
