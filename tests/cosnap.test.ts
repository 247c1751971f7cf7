import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { jpegPhoto, type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('Cosnap', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const upload = async (person: Newcomer, bytes?: Uint8Array<ArrayBuffer>): Promise<string> => {
    const response = await person.fetch('/api/cosnap/photos?name=boat.jpg', {
      method: 'POST',
      body: bytes ?? (await jpegPhoto()),
    })
    return (await response.json()).id
  }
  const start = (person: Newcomer, photoId: string, effect = 'noir', key: string = randomUUID()) =>
    person.fetch('/api/cosnap/runs', {
      method: 'POST',
      body: JSON.stringify({ photoId, effect, strength: 60 }),
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
    })
  const credits = async (person: Newcomer) => {
    const { available, held, spent } = await (await person.fetch('/api/cosnap/credits')).json()
    return { available, held, spent }
  }
  const run = async (person: Newcomer, id: string) => (await person.fetch(`/api/cosnap/runs/${id}`)).json()

  it('takes a photo through an effect at full resolution and spends exactly its price', async () => {
    const person = await service.newcomer()
    const worker = await service.startWorker()
    try {
      expect(await credits(person)).toEqual({ available: 20, held: 0, spent: 0 })
      const photoId = await upload(person, await jpegPhoto(640, 480))
      const started = await start(person, photoId, 'oil')
      expect(started.status).toBe(202)
      const { id } = await started.json()
      const done = await until('it is done', async () => {
        const now = await run(person, id)
        return now.state === 'done' && now
      })
      expect(done).toMatchObject({ engine: 'local', progress: 1, result: { width: 640, height: 480 } })
      expect(await credits(person)).toEqual({ available: 18, held: 0, spent: 2 })
      const file = await fetch(`${service.url}${done.result.full}`)
      const bytes = Buffer.from(await file.arrayBuffer())
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 480 })
      const part = await fetch(`${service.url}${done.result.full}`, { headers: { range: 'bytes=10-19' } })
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${bytes.length}`])
      expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20))
      const known = await fetch(`${service.url}${done.result.full}`, {
        headers: { 'if-none-match': file.headers.get('etag') ?? '' },
      })
      expect(known.status).toBe(304)
      expect(
        (await fetch(`${service.url}${done.result.full}`, { headers: { range: 'bytes=999999999-' } })).status,
      ).toBe(416)
      for (const [format, url] of [
        ['webp', done.result.webp],
        ['heif', done.result.avif],
      ]) {
        const smaller = await fetch(`${service.url}${url.split(' ')[0]}`)
        expect((await sharp(Buffer.from(await smaller.arrayBuffer())).metadata()).format).toBe(format)
      }
      expect((await fetch(`${service.url}${done.result.full.replace('original', '640.webp')}`)).status).toBe(404)
    } finally {
      await worker.stop()
    }
  })

  it('starts as many of 20 effects at once as the credits pay for', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => start(person, photoId, 'oil')))
    const statuses = outcomes.map((response) => response.status)
    expect(statuses.filter((status) => status === 202)).toHaveLength(10)
    expect(statuses.filter((status) => status === 402)).toHaveLength(10)
    expect(await credits(person)).toEqual({ available: 0, held: 20, spent: 0 })
  })

  it('works once for one idempotency key, however often and at the same time it is sent', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const key = randomUUID()
    const answers = await Promise.all(Array.from({ length: 8 }, () => start(person, photoId, 'noir', key)))
    const bodies = await Promise.all(answers.map((response) => response.json()))
    expect(new Set(bodies.map((body) => body.id)).size).toBe(1)
    expect(await credits(person)).toMatchObject({ held: 1 })
    expect((await start(person, photoId, 'oil', key)).status).toBe(422)
    const stranger = await service.newcomer()
    expect((await start(stranger, await upload(stranger), 'noir', key)).status).toBe(202)
  })

  it('repeats a refusal for its key', async () => {
    const person = await service.newcomer()
    const key = randomUUID()
    const missing = await start(person, randomUUID(), 'noir', key)
    expect(missing.status).toBe(404)
    expect((await start(person, await upload(person), 'noir', key)).status).toBe(422)
  })

  it('gives the credits back when a waiting effect is cancelled, once', async () => {
    const person = await service.newcomer()
    const { id } = await (await start(person, await upload(person), 'cartoon')).json()
    expect(await credits(person)).toEqual({ available: 18, held: 2, spent: 0 })
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => person.fetch(`/api/cosnap/runs/${id}/cancel`, { method: 'POST' })),
    )
    expect(answers.map((response) => response.status)).toEqual([200, 200, 200, 200])
    expect(await credits(person)).toEqual({ available: 20, held: 0, spent: 0 })
    expect(await run(person, id)).toMatchObject({ state: 'cancelled' })
  })

  it('shows each gift and each effect once in the history, with where its credits stand', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const [spent, returned] = [await start(person, photoId, 'noir'), await start(person, photoId, 'cartoon')]
    await person.fetch(`/api/cosnap/runs/${(await returned.json()).id}/cancel`, { method: 'POST' })
    const worker = await service.startWorker()
    try {
      const { id } = await spent.json()
      await until('it is done', async () => (await run(person, id)).state === 'done')
    } finally {
      await worker.stop()
    }
    await start(person, photoId, 'oil')
    const seen: { what: string; kind: string; amount: number }[] = []
    let cursor: string | null = null
    do {
      const page: { items: typeof seen; next: string | null } = await (
        await person.fetch(`/api/cosnap/credits?limit=1${cursor ? `&cursor=${cursor}` : ''}`)
      ).json()
      seen.push(...page.items.map(({ what, kind, amount }) => ({ what, kind, amount })))
      cursor = page.next
    } while (cursor)
    expect(seen).toEqual([
      { what: 'Oil', kind: 'hold', amount: 2 },
      { what: 'Cartoon', kind: 'release', amount: 2 },
      { what: 'Noir', kind: 'capture', amount: 1 },
      { what: 'Welcome gift', kind: 'grant', amount: 20 },
    ])
  })

  it('gives the credits back by itself when an effect fails for good', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const { id } = await (await start(person, photoId, 'noir')).json()
    const { rows } = await service.test.admin.query('select account_id, hash from cosnap.photos where id = $1', [
      photoId,
    ])
    await service.capabilities.media.store.delete(`${rows[0].account_id}/${rows[0].hash}`)
    const worker = await service.startWorker()
    try {
      await until('it has failed', async () => (await run(person, id)).state === 'failed')
      expect(await credits(person)).toEqual({ available: 20, held: 0, spent: 0 })
    } finally {
      await worker.stop()
    }
  })

  it('lets an operator run a job that failed for good once more, and nobody else', async () => {
    const [person, operator] = [await service.newcomer(), await service.operator()]
    const photoId = await upload(person)
    const { id, jobId } = await (await start(person, photoId, 'noir')).json()
    const { rows } = await service.test.admin.query('select account_id, hash from cosnap.photos where id = $1', [
      photoId,
    ])
    const blob = `${rows[0].account_id}/${rows[0].hash}`
    const { store } = service.capabilities.media
    const bytes = await buffer((await store.read(blob)) as Readable)
    await store.delete(blob)
    const worker = await service.startWorker()
    try {
      await until('it has failed', async () => (await run(person, id)).state === 'failed')
      await store.putBytes(blob, bytes)
      const replay = (who: Newcomer) => who.fetch(`/api/operations/jobs/${jobId}/replay`, { method: 'POST' })
      expect((await replay(person)).status).toBe(403)
      const { items } = await (await operator.fetch('/api/operations/jobs/dead')).json()
      expect(items[0]).toMatchObject({ id: jobId, task: 'cosnap.apply-effect', error: 'not_found' })
      const answers = await Promise.all([replay(operator), replay(operator)])
      expect(answers.map((answer) => answer.status).sort()).toEqual([204, 404])
      await until('it is done', async () => (await run(person, id)).state === 'done')
      expect(await credits(person)).toEqual({ available: 19, held: 0, spent: 1 })
      const { items: entries } = await (await person.fetch('/api/cosnap/credits')).json()
      expect(entries.map((entry: { kind: string; what: string }) => `${entry.kind} ${entry.what}`)).toEqual([
        'capture Noir',
        'release Noir',
        'grant Welcome gift',
      ])
      const after = await (await operator.fetch('/api/operations/jobs/dead')).json()
      expect(after.items).toHaveLength(items.length - 1)
    } finally {
      await worker.stop()
    }
  })

  it("answers 404 for everything of somebody else's, and lists none of it", async () => {
    const [owner, stranger] = [await service.newcomer(), await service.newcomer()]
    const photoId = await upload(owner)
    const { id } = await (await start(owner, photoId)).json()
    const attempts = [
      stranger.fetch(`/api/cosnap/photos/${photoId}`),
      stranger.fetch(`/api/cosnap/photos/${photoId}`, { method: 'DELETE' }),
      stranger.fetch(`/api/cosnap/photos/${photoId}/previews`),
      stranger.fetch(`/api/cosnap/runs/${id}`),
      stranger.fetch(`/api/cosnap/runs/${id}`, { method: 'DELETE' }),
      stranger.fetch(`/api/cosnap/runs/${id}/cancel`, { method: 'POST' }),
      start(stranger, photoId),
    ]
    expect((await Promise.all(attempts)).map((response) => response.status)).toEqual(attempts.map(() => 404))
    for (const list of ['/photos', '/runs', `/runs?photoId=${photoId}`]) {
      expect((await (await stranger.fetch(`/api/cosnap${list}`)).json()).items).toEqual([])
    }
    expect(await credits(stranger)).toEqual({ available: 20, held: 0, spent: 0 })
  })

  it('pages through photos without losing or repeating one, also while new ones come', async () => {
    const person = await service.newcomer()
    const bytes = await jpegPhoto(40, 30)
    for (let i = 0; i < 7; i++) await upload(person, bytes)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: { items: { id: string }[]; next: string | null } = await (
        await person.fetch(`/api/cosnap/photos?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
      ).json()
      seen.push(...page.items.map((item) => item.id))
      cursor = page.next
      await upload(person, bytes)
    } while (cursor)
    expect(new Set(seen).size).toBe(7)
  })

  it('takes no cursor that was not made for this list and this person', async () => {
    const [person, other] = await Promise.all([service.newcomer(), service.newcomer()])
    const bytes = await jpegPhoto(40, 30)
    const photoId = await upload(person, bytes)
    await upload(person, bytes)
    const { next } = await (await person.fetch('/api/cosnap/photos?limit=1')).json()
    const statusOf = async (who: Newcomer, path: string) => (await who.fetch(`/api/cosnap/${path}`)).status
    expect(await statusOf(person, `photos?limit=1&cursor=${next}`)).toBe(200)
    expect(await statusOf(person, `runs?cursor=${next}`)).toBe(400)
    expect(await statusOf(other, `photos?cursor=${next}`)).toBe(400)
    expect(await statusOf(person, `photos?cursor=${photoId}`)).toBe(400)
    expect(await statusOf(person, `photos?cursor=${next.slice(0, -2)}AA`)).toBe(400)
  })

  it('deletes a photo with everything made from it, but not while an effect is being made', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const { id } = await (await start(person, photoId)).json()
    expect((await person.fetch(`/api/cosnap/photos/${photoId}`, { method: 'DELETE' })).status).toBe(409)
    await person.fetch(`/api/cosnap/runs/${id}/cancel`, { method: 'POST' })
    expect((await person.fetch(`/api/cosnap/photos/${photoId}`, { method: 'DELETE' })).status).toBe(204)
    expect((await person.fetch(`/api/cosnap/runs/${id}`)).status).toBe(404)
    const { rows } = await service.test.admin.query(
      'select count(*)::int as n from seaworthy.ledger where account_id = $1',
      [person.accountId],
    )
    expect(rows[0].n).toBe(3)
  })

  it('shows all effects on the very photo, free of charge', async () => {
    const person = await service.newcomer()
    const photoId = await upload(person)
    const { previews } = await (await person.fetch(`/api/cosnap/photos/${photoId}/previews`)).json()
    const { effects } = await (await fetch(`${service.url}/api/cosnap/effects`)).json()
    expect(previews.map((preview: { effect: string }) => preview.effect)).toEqual(
      effects.map((effect: { id: string }) => effect.id),
    )
    expect(effects.length).toBeGreaterThanOrEqual(12)
    expect(new Set(previews.map((preview: { image: string }) => preview.image)).size).toBe(effects.length)
    expect(await credits(person)).toMatchObject({ available: 20 })
  })

  it.each([
    ['without a boundary', 'multipart/form-data'],
    ['with the wrong boundary', 'multipart/form-data; boundary=other'],
  ])('refuses a form %s as unreadable', async (_, type) => {
    const person = await service.newcomer()
    const response = await person.fetch('/api/cosnap/photos', {
      method: 'POST',
      headers: { 'content-type': type },
      body: '--xx\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nx\r\n--xx--\r\n',
    })
    expect(response.status).toBe(400)
  })

  it('takes a photo from a form as well', async () => {
    const person = await service.newcomer()
    const form = new FormData()
    form.set('file', new Blob([await jpegPhoto()], { type: 'image/jpeg' }), 'form.jpg')
    expect((await person.fetch('/api/cosnap/photos', { method: 'POST', body: form })).status).toBe(201)
    const empty = new FormData()
    empty.set('note', 'no file')
    expect((await person.fetch('/api/cosnap/photos', { method: 'POST', body: empty })).status).toBe(400)
  })
})
