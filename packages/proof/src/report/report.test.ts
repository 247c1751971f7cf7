import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClaimResult, Report } from '../result.ts'
import { annotate, unknownProofs } from './document.ts'
import { renderHtml } from './html.ts'
import { checkReceipt, signReport } from './receipt.ts'

const DAY = 86_400_000
const result: ClaimResult = {
  id: 'NET-02',
  says: 'No page runs a script <that> we did not write',
  verdict: 'proven',
  readings: [{ measure: 'violations', value: 0, limit: { unit: 'reports', atMost: 0 }, holds: true }],
  evidence: ['<script>alert(1)</script>'],
  met: { 'a script was injected': true },
  run: { samples: [{ atMs: 1, ms: 5, ok: true }], marks: [{ atMs: 1, label: '<kill>' }] },
  witness: 'Chromium',
  answers: ['H9'],
  seconds: 2,
  sabotages: [{ name: 'anything goes', caught: true, how: 'violations: 3' }],
  at: '2026-11-21T10:00:00.000Z',
  commit: 'abc',
}
const report: Report = {
  startedAt: result.at,
  seconds: 3,
  seed: 7,
  commit: 'abc',
  machine: { os: 'linux', cpu: 'one', cores: 2, memoryGiB: 4, node: '20', programs: {} },
  results: [result],
}

describe('a receipt', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'receipt-'))
    return () => rmSync(directory, { recursive: true })
  })

  it('is valid until it expires, and forged when a word or the key is another', () => {
    const receipt = signReport(report, directory, 0)
    expect(checkReceipt(receipt, undefined, 29 * DAY)).toBe('valid')
    expect(checkReceipt(receipt, undefined, 31 * DAY)).toBe('expired')
    const improved = { ...receipt, report: { ...report, results: [{ ...result, seconds: 1 }] } }
    expect(checkReceipt(improved, undefined, 0)).toBe('forged')
    expect(checkReceipt({ ...receipt, expiresAt: '2999-01-01T00:00:00.000Z' }, undefined, 0)).toBe('forged')
    expect(checkReceipt(receipt, 'another key', 0)).toBe('forged')
    expect(checkReceipt({ ...receipt, key: 'nonsense' }, undefined, 0)).toBe('forged')
  })

  it('is signed with one key that only its owner can read', () => {
    const [first, second] = [signReport(report, directory), signReport(report, directory)]
    expect(second.key).toBe(first.key)
    expect(statSync(join(directory, 'signing-key.pem')).mode & 0o777).toBe(0o600)
  })
})

describe('a report', () => {
  it('shows what was measured and lets nothing measured become markup', () => {
    const html = renderHtml(report)
    expect(html).toContain('All 1 claims are proven')
    expect(html).not.toMatch(/<script|<that>|<kill>/)
  })
})

describe('an annotated document', () => {
  const document = 'Pages: <!--proof NET-02-->old words<!--/-->, later: <!--proof NET-99--><!--/-->'

  it('carries the newest verdict beside each claim, again and again', () => {
    const once = annotate(document, [result])
    expect(once).toContain('<!--proof NET-02-->NET-02: **proven**, violations 0 reports, 2026-11-21<!--/-->')
    expect(once).toContain('<!--proof NET-99-->NET-99: *not run here*<!--/-->')
    expect(annotate(once, [result])).toBe(once)
  })

  it('names proofs that do not exist', () => {
    expect(unknownProofs(document, ['NET-02'])).toEqual(['NET-99'])
  })
})
