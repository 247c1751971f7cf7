import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { runGeneralClaims } from '../src/general/run.ts'
import { runMended } from './mended.ts'
import { mistakes } from './mistakes/index.ts'
import { openWreck } from './open-wreck.ts'
import { takeSample } from './sample.ts'
import { tableOf } from './table.ts'

const { port, adminPassword } = inject('seaworthy')
const serverUrl = `postgres://seaworthy_admin:${encodeURIComponent(adminPassword)}@127.0.0.1:${port}/postgres`
const numbers = new Set(mistakes.flatMap((mistake) => mistake.numbers))
const SAMPLE = 8
const { signal } = new AbortController()

describe('a small correct app that others could have written', () => {
  it('has no finding, and every claim but the one for cached questions and downloads is tested', {
    timeout: 60_000,
  }, async () => {
    const app = await openWreck(serverUrl, [], { app: 'correct', config: 'correct.config.js' })
    const results = await runGeneralClaims({ file: app.file, commit: 'correct', signal }).finally(() => app.close())
    const others = results.filter(({ verdict }) => verdict !== 'proven')
    expect(others.map(({ id, verdict, why }) => ({ id, verdict, why }))).toEqual([
      { id: 'GEN-12', verdict: 'could not test', why: 'needs download in the configuration' },
      { id: 'GEN-16', verdict: 'could not test', why: 'needs question in the configuration' },
    ])
  })
})

describe('the wreck', () => {
  it('makes more than 40 of the numbered mistakes, and every one is found with evidence by the claim that the list names', {
    timeout: 60_000,
  }, async () => {
    const { results, still, lost, unknown } = await runMended(serverUrl, [])
    expect({ still, lost, unknown }).toEqual({ still: [], lost: [], unknown: [] })
    expect(numbers.size).toBeGreaterThanOrEqual(40)
    for (const result of results) {
      expect(result.verdict, result.why).toBe('refuted')
      for (const finding of result.findings)
        expect(finding.request ?? finding.row, `${result.id} ${finding.mistake}`).toBeTruthy()
    }
  })

  it('has no finding when everything is mended', { timeout: 60_000 }, async () => {
    const { results } = await runMended(serverUrl, mistakes)
    expect(results.filter(({ verdict }) => verdict !== 'proven')).toEqual([])
  })

  // All of them one by one: npm run prove:wreck
  const seed = Date.now()
  const sample = takeSample(mistakes, SAMPLE, seed)
  it.each(sample.map((mistake) => [`${mistake.claim} ${mistake.says}`, mistake] as const))(
    `loses exactly one finding when only this is mended (seed ${seed}): %s`,
    async (_, mistake) => {
      const { still, lost, unknown } = await runMended(serverUrl, [mistake], [mistake.claim])
      expect({ still, lost, unknown }).toEqual({ still: [], lost: [], unknown: [] })
    },
  )

  it('is described as it is', () => {
    expect(readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')).toContain(tableOf(mistakes))
  })
})
