import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestService, type TestService } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('what operators see of recovery', () => {
  const store = mkdtempSync(join(tmpdir(), 'store-'))
  let service: TestService
  beforeAll(async () => {
    service = await openTestService({ BACKUP_STORES: store })
  })
  afterAll(async () => {
    await service.close()
    rmSync(store, { recursive: true, force: true })
  })

  const path = '/api/operations/recovery'
  const offer = (to: string): string => `${path}/offer?to=${encodeURIComponent(to)}`

  it('is for operators only', async () => {
    const person = await service.newcomer()
    for (const asked of [path, offer('2026-01-31T12:34:56Z')]) {
      expect((await fetch(`${service.url}${asked}`)).status).toBe(401)
      expect((await person.fetch(asked)).status).toBe(403)
    }
  })

  it('says what is missing before anything was backed up, and promises no way back', async () => {
    const operator = await service.operator()
    const answer = await operator.fetch(path)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      kept: true,
      problem: expect.stringMatching(/no verified recovery point/),
      earliest: null,
      latest: null,
      stores: [],
      drills: [],
    })
    const refused = await operator.fetch(offer('2026-01-31T12:34:56Z'))
    expect(refused.status).toBe(409)
    expect((await refused.json()).detail).toMatch(/has no recovery points/)
    expect((await operator.fetch(offer('yesterday'))).status).toBe(400)
    expect((await operator.fetch(offer('2026-01-31T12:34:56'))).status).toBe(400)
  })

  it('says that nothing is backed up where no store is set', async () => {
    const bare = await openTestService()
    try {
      const operator = await bare.operator()
      expect(await (await operator.fetch(path)).json()).toMatchObject({ kept: false, problem: null })
      expect((await operator.fetch(offer('2026-01-31T12:34:56Z'))).status).toBe(404)
    } finally {
      await bare.close()
    }
  })
})
