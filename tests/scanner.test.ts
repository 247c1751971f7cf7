import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type FakeClamd,
  jpegPhoto,
  type Newcomer,
  openFakeClamd,
  openTestService,
  type TestService,
} from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** Behind the end of a picture, where a decoder does not look. */
const planted = 'PLANTED-MALWARE'

describe('an installation with a virus scanner', () => {
  let service: TestService
  let clamd: FakeClamd
  let clean: Uint8Array<ArrayBuffer>
  let infected: Uint8Array<ArrayBuffer>
  beforeAll(async () => {
    clamd = await openFakeClamd()
    service = await openTestService({ CLAMD_URL: clamd.url, CLAMD_TIMEOUT: '1s' })
    clean = await jpegPhoto(64, 48)
    infected = new Uint8Array(Buffer.concat([clean, Buffer.from(planted)]))
  })
  beforeEach(() => clamd.play((file) => (file.includes(planted) ? 'stream: Test.Planted FOUND' : 'stream: OK')))
  afterAll(async () => {
    await service.close()
    await clamd.close()
  })

  const upload = async (person: Newcomer, body: BodyInit, headers: Record<string, string> = {}) => {
    const answer = await person.fetch('/api/cosnap/photos?name=boat.jpg', { method: 'POST', body, headers })
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await answer.json() }
  }
  const linesOf = async (person: Newcomer) => {
    const { rows } = await service.test.admin.query(
      `select kind, action, outcome, user_id, resource, error_code, error_text, details, route, network from seaworthy.audit
       where account_id = $1 and action in ('photo_upload', 'infected_upload') order by created_at`,
      [person.accountId],
    )
    return rows
  }
  /** Rows, files and drafts of somebody. */
  const keptOf = async (person: Newcomer): Promise<unknown[]> => {
    const { rows } = await service.test.admin.query('select hash from seaworthy.blobs where account_id = $1', [
      person.accountId,
    ])
    const { dataDirectory } = service.capabilities.config
    const folders = [
      join('media', 'drafts'),
      join('blobs', person.accountId),
      join('media', 'uploads', person.accountId),
    ]
    const found = folders
      .map((folder) => join(dataDirectory, folder))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder))
    return [...rows, ...found]
  }

  it('takes what the scanner calls clean, and shows it every byte before anything else reads them', async () => {
    const person = await service.newcomer()
    expect((await upload(person, clean)).status).toBe(201)
    expect(clamd.files.at(-1)?.equals(clean)).toBe(true)
    expect((await upload(person, 'no photo at all')).status).toBe(422)
    expect(clamd.files.at(-1)?.toString()).toBe('no photo at all')
  })

  it('refuses what is infected, keeps nothing of it, and tells operators what was found', async () => {
    const person = await service.newcomer()
    const refused = await upload(person, infected)
    expect(refused).toMatchObject({ status: 422, body: { code: 'infected_file' } })
    expect(JSON.stringify(refused.body)).not.toContain('Test.Planted')
    expect(await keptOf(person)).toEqual([])
    expect(await linesOf(person)).toMatchObject([
      {
        kind: 'security',
        action: 'infected_upload',
        outcome: 'refused',
        user_id: expect.any(String),
        resource: expect.stringMatching(/^[0-9a-f]{64}$/),
        error_code: 'infected_file',
        details: { found: 'Test.Planted', bytes: infected.length },
        route: '/api/cosnap/photos',
      },
      { kind: 'change', action: 'photo_upload', error_code: 'infected_file' },
    ])
  })

  it('looks into forms, and into files that came in parts', async () => {
    const person = await service.newcomer()
    const form = new FormData()
    form.set('photo', new Blob([infected]), 'boat.jpg')
    expect(await upload(person, form)).toMatchObject({ status: 422, body: { code: 'infected_file' } })
    const begun = await person.fetch('/api/uploads', {
      method: 'POST',
      body: JSON.stringify({ bytes: infected.length }),
      headers: { 'content-type': 'application/json' },
    })
    const { id } = await begun.json()
    await person.fetch(`/api/uploads/${id}?offset=0`, { method: 'PATCH', body: infected })
    expect(await upload(person, '', { 'upload-id': id })).toMatchObject({
      status: 422,
      body: { code: 'infected_file' },
    })
    expect(await keptOf(person)).toEqual([])
  })

  it.each([
    ['fails', () => 'stream: something broke ERROR'],
    ['says nothing', () => undefined],
  ])('takes no file while the scanner %s, keeps none, and takes files again afterwards', async (_, script) => {
    const person = await service.newcomer()
    clamd.play(script)
    const refused = await upload(person, clean)
    expect(refused).toMatchObject({ status: 503, retryAfter: '30', body: { code: 'scanner_unavailable' } })
    expect(JSON.stringify(refused.body)).not.toMatch(/broke|CLAMD/)
    expect(await keptOf(person)).toEqual([])
    expect((await person.fetch('/api/cosnap/photos')).status).toBe(200)
    clamd.play(() => 'stream: OK')
    expect((await upload(person, clean)).status).toBe(201)
  })

  it('shows in the detailed health whether the scanner answers, and counts its verdicts', async () => {
    const part = async () =>
      (await service.capabilities.health.report()).parts.find(({ name }) => name === 'virus scanner')
    expect(await part()).toMatchObject({ status: 'ok' })
    const snapshot = JSON.stringify(await service.capabilities.metrics.snapshot())
    expect(snapshot).toContain('media_scans_total')
  })
})
