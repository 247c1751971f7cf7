import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { readConfigFile } from '../src/general/config.ts'
import { runGeneralClaims } from '../src/general/run.ts'

const file = join(import.meta.dirname, 'cosnap.config.js')
const { signal } = new AbortController()
/** What one start answers; those that start it again and again: `seaworthy prove --config`. */
const quick = ['01', '02', '03', '07', '08', '09', '11', '14', '17', '18', '19', '20', '24', '27'].map(
  (n) => `GEN-${n}`,
)

describe('Cosnap, as if it were an app of others', () => {
  it('is described in twenty lines and has no finding', { timeout: 60_000 }, async () => {
    expect(readFileSync(file, 'utf8').trim().split('\n').length).toBeLessThanOrEqual(20)
    const results = await runGeneralClaims({
      file: await readConfigFile({ file }),
      commit: 'cosnap',
      signal,
      ids: quick,
    })
    expect(results.filter(({ verdict }) => verdict !== 'proven')).toEqual([])
  })

  it('has a schema without findings', async () => {
    const { port, adminPassword } = inject('seaworthy')
    const database = `postgres://seaworthy_admin:${encodeURIComponent(adminPassword)}@127.0.0.1:${port}/seaworthy`
    const config = {
      url: 'http://127.0.0.1:1',
      database,
      databaseRole: `postgres://seaworthy_app@127.0.0.1:${port}/seaworthy`,
    }
    const results = await runGeneralClaims({
      file: { config, directory: '.' },
      commit: 'cosnap',
      signal,
      ids: ['GEN-30', 'GEN-31'],
    })
    expect(results.flatMap(({ evidence, why }) => [...evidence, why])).toEqual([undefined, undefined])
    expect(results.map(({ verdict }) => verdict)).toEqual(['proven', 'proven'])
  })
})
