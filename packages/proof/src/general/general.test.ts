import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { callsForEveryRow } from './catalogue.ts'
import { defineGeneralClaim, type Found } from './claim.ts'
import { loadGeneralClaims } from './claims/index.ts'
import { checkConfig, type GeneralConfig, readConfigFile } from './config.ts'
import { examineGeneral } from './examine.ts'
import type { Need } from './needs.ts'
import { fillRoute, parseRoute } from './route.ts'
import type { Target } from './target.ts'

const url = 'http://127.0.0.1:{port}'
const claimOf = (find: () => Promise<Found>, needs: Need[] = []) =>
  defineGeneralClaim({ id: 'GEN-99', says: 'Nothing leaks', mistakes: { 'it leaks': [5] }, answers: [], needs, find })
const examineWith = (find: () => Promise<Found>, needs: Need[] = [], config: GeneralConfig = { url }) =>
  examineGeneral(claimOf(find, needs), { config } as Target, 'abc')

describe('a general claim', () => {
  it('is proven when nothing was found and everything happened', async () => {
    expect(await examineWith(async () => ({ findings: [], met: { asked: true } }))).toMatchObject({ verdict: 'proven' })
  })

  it('is refuted by one finding, which is shown with its number and evidence', async () => {
    const finding = { mistake: 'it leaks', about: 'notes', request: 'GET /notes', answer: '200 []', row: 'n1' }
    const result = await examineWith(async () => ({ findings: [finding], met: { asked: true } }))
    expect(result).toMatchObject({ verdict: 'refuted', findings: [finding], readings: [{ value: 1, holds: false }] })
    expect(result.evidence).toEqual(['it leaks: notes (mistake 5) | request GET /notes | answer 200 [] | row n1'])
  })

  it.each([
    ['its configuration lacks something', async () => ({ findings: [], met: { asked: true } }), ['webhook'] as Need[]],
    ['what it tries did not happen', async () => ({ findings: [], met: { asked: false } }), []],
    ['it says nothing of what happened', async () => ({ findings: [], met: {} }), []],
    ['it breaks', () => Promise.reject(new Error('refused')), []],
  ])('is never green when %s', async (_, find, needs) => {
    expect((await examineWith(find, needs)).verdict).toBe('could not test')
  })

  it('needs a port of its own for a second process', async () => {
    const config = { url: 'http://127.0.0.1:3000', start: { command: 'node server.js', required: ['KEY'] } }
    for (const need of ['process', 'start.required'] as const)
      expect((await examineWith(async () => ({ findings: [], met: { a: true } }), [need], config)).verdict).toBe(
        'could not test',
      )
  })

  it('says what is missing in the configuration', async () => {
    const result = await examineWith(async () => ({ findings: [], met: {} }), ['people', 'resource.read', 'process'])
    expect(result.why).toBe('needs signUp and token, resource.read, start and {port} in the url in the configuration')
  })
})

describe('the general claims', () => {
  it('have ids of their own, mistakes and something that they need', async () => {
    const claims = await loadGeneralClaims()
    expect(claims.length).toBeGreaterThan(30)
    for (const claim of claims) {
      expect(Object.keys(claim.mistakes).length, claim.id).toBeGreaterThan(0)
      expect(claim.needs.length, claim.id).toBeGreaterThan(0)
    }
  })
})

describe('a configuration', () => {
  it('may be JSON', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'config-'))
    writeFileSync(join(directory, 'app.json'), JSON.stringify({ url, health: 'GET /health' }))
    expect(await readConfigFile({ file: join(directory, 'app.json') })).toEqual({
      config: { url, health: 'GET /health' },
      directory,
    })
    rmSync(directory, { recursive: true })
  })

  it('may be an address alone, or stand beside one that is used in its place', async () => {
    expect((await readConfigFile({ url, database: 'postgres://127.0.0.1/app' })).config).toEqual({
      url,
      database: 'postgres://127.0.0.1/app',
    })
    await expect(readConfigFile({})).rejects.toThrow(/needs a url/)
  })

  it('is of an app on this machine, and has no name that means nothing', () => {
    expect(() => checkConfig({ url: 'https://shop.example' })).toThrow(/of this machine/)
    expect(() => checkConfig({ url: 'http://127.0.0.1.evil.example' })).toThrow(/of this machine/)
    expect(() => checkConfig({ url, signup: 'POST /x' })).toThrow(/mean nothing: signup/)
  })

  it('has routes that are filled, encoded in the path and as JSON in the body', () => {
    const route = parseRoute('POST /notes/{id} {"title":"{text}","n":{number}}')
    expect(fillRoute(route, { id: '../a', text: 'say "hi"', number: -1 })).toEqual({
      method: 'POST',
      path: '/notes/..%2Fa',
      body: '{"title":"say \\"hi\\"","n":-1}',
    })
    expect(() => parseRoute('/notes')).toThrow(/no route/)
  })
})

describe('a policy', () => {
  it.each([
    ["(account_id = (current_setting('app.account'::text))::uuid)", true],
    ["(account_id = ( SELECT (NULLIF(current_setting('a'::text, true), ''::text))::uuid AS \"nullif\"))", false],
    ['((a = ( SELECT uid() AS uid)) OR (b = uid()))', true],
    ['(account_id = owner)', false],
  ])('asks once for every row or once: %s', (rule, everyRow) => {
    expect(callsForEveryRow(rule)).toBe(everyRow)
  })
})
