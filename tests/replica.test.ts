import { POSITION_HEADER } from '@seaworthy/client'
import {
  jpegPhoto,
  type Newcomer,
  openReplicatedDatabase,
  openTestService,
  type ReplicatedDatabase,
  type TestService,
  until,
} from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** Two services on one pair of servers: what one process has written is read from the other. */
describe('reads with a replica', () => {
  let pair: ReplicatedDatabase
  let services: readonly [TestService, TestService]
  let person: Newcomer
  beforeAll(async () => {
    pair = await openReplicatedDatabase()
    services = [await openTestService({}, undefined, pair.test), await openTestService({}, undefined, pair.test)]
    person = await services[0].newcomer()
  }, 60_000)
  afterAll(async () => {
    for (const service of services) await service.close()
    await pair.close()
  })
  beforeEach(async () => {
    await pair.standby.resumeReplay()
    for (const { capabilities } of services)
      await until('the replica is used', async () =>
        (await capabilities.metrics.text()).includes('database_replica_used 1'),
      )
  })

  const ask = (service: TestService, path: string, init: RequestInit = {}, position?: string) =>
    fetch(`${service.url}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${person.token}`,
        ...init.headers,
        ...(position === undefined ? {} : { [POSITION_HEADER]: position }),
      },
    })
  const upload = async (position?: string) => {
    const init = { method: 'POST', body: await jpegPhoto(32, 24) }
    const answer = await ask(services[0], '/api/cosnap/photos?name=boat.jpg', init, position)
    expect(answer.status).toBe(201)
    return { id: ((await answer.json()) as { id: string }).id, position: answer.headers.get(POSITION_HEADER) ?? '' }
  }
  const readsByReplica = async (service: TestService): Promise<number> => {
    const text = await service.capabilities.metrics.text()
    return Number(/^database_replica_reads_total\{by="replica",why=""\} (\d+)$/m.exec(text)?.[1] ?? 0)
  }
  const photosOf = async (service: TestService, position?: string): Promise<{ ids: string[]; byReplica: boolean }> => {
    const before = await readsByReplica(service)
    const answer = await ask(service, '/api/cosnap/photos', {}, position)
    const { items } = (await answer.json()) as { items: { id: string }[] }
    return { ids: items.map(({ id }) => id), byReplica: (await readsByReplica(service)) > before }
  }
  const untilReplayed = (position: string) =>
    until('the replica answers', async () => {
      for (const service of services) if (!(await photosOf(service, position)).byReplica) return false
      return true
    })

  it('show a client its own write in every process, also while the replica does not', async () => {
    const first = await upload()
    await untilReplayed(first.position)
    await pair.standby.pauseReplay()
    const second = await upload(first.position)
    for (const service of services)
      expect(await photosOf(service, first.position)).toMatchObject({
        ids: expect.not.arrayContaining([second.id]),
        byReplica: true,
      })
    // By what the answer said, together with what came before, and by nothing at all.
    for (const shown of [second.position, `${first.position}, ${second.position}`, undefined])
      for (const service of services)
        expect(await photosOf(service, shown)).toMatchObject({
          ids: expect.arrayContaining([second.id]),
          byReplica: false,
        })
  })

  it('go to the primary when a position is not ours', async () => {
    const { position } = await upload()
    await untilReplayed(position)
    const forged = [
      `${position.slice(0, -2)}AA`,
      'changed-1',
      `${position}, changed-1`,
      '',
      Array(17).fill(position).join(),
    ]
    for (const shown of forged) expect((await photosOf(services[1], shown)).byReplica).toBe(false)
    expect((await photosOf(services[1], `${position},${position}`)).byReplica).toBe(true)
  })

  it('tell the position once, and one in place of several', async () => {
    const [one, two] = [await upload(), await upload()]
    await untilReplayed(two.position)
    const told = async (shown: string) =>
      (await ask(services[1], '/api/cosnap/photos', {}, shown)).headers.get(POSITION_HEADER)
    expect(await told(two.position)).toBeNull()
    expect(await told(`${two.position},${one.position}`)).toBe(two.position)
  })

  it('find in a batch what its first part has written', async () => {
    const first = await upload()
    await untilReplayed(first.position)
    await pair.standby.pauseReplay()
    const items = [
      { method: 'DELETE', path: `/api/cosnap/photos/${first.id}` },
      { method: 'GET', path: `/api/cosnap/photos/${first.id}` },
    ]
    const init = { method: 'POST', body: JSON.stringify({ items }), headers: { 'content-type': 'application/json' } }
    const answer = await ask(services[0], '/api/batch', init, first.position)
    const { items: told } = (await answer.json()) as { items: { status: number }[] }
    expect(told.map(({ status }) => status)).toEqual([204, 404])
    const position = answer.headers.get(POSITION_HEADER) ?? ''
    expect((await ask(services[1], `/api/cosnap/photos/${first.id}`, {}, position)).status).toBe(404)
    expect((await ask(services[1], `/api/cosnap/photos/${first.id}`, {}, first.position)).status).toBe(200)
  })

  it('are kept together by the client without anybody thinking of it', async () => {
    const { api } = person
    const { id, position } = await upload()
    api.seen.note(position)
    await untilReplayed(position)
    await api.http.GET('/api/cosnap/photos', { params: { query: {} } })
    await pair.standby.pauseReplay()
    await api.http.DELETE('/api/cosnap/photos/{id}', { params: { path: { id } } })
    const { data } = await api.http.GET('/api/cosnap/photos', { params: { query: {} } })
    expect(data?.items.map((item) => item.id)).not.toContain(id)
  })

  it('find what was only heard of', async () => {
    const { api } = person
    const first = await upload()
    api.seen.note(first.position)
    await untilReplayed(first.position)
    await pair.standby.pauseReplay()
    const second = await upload()
    const ids = async () => (await api.http.GET('/api/cosnap/photos')).data?.items.map(({ id }) => id)
    expect(await ids()).not.toContain(second.id)
    api.seen.changed()
    expect(await ids()).toContain(second.id)
  })
})

it('refuses an address of a replica that cannot be meant', async () => {
  const { prepareDatabase } = await import('@seaworthy/platform/boot')
  const { readConfig } = await import('@seaworthy/platform/config')
  const { createMemoryLogger } = await import('@seaworthy/platform/telemetry')
  const start = (url: string) => {
    const config = readConfig(process.cwd(), { DATABASE_REPLICA_URL: url, DATA_DIR: '.seaworthy/tests-replica' })
    const endpoint = { host: '127.0.0.1', port: 9, database: 'shop', tls: 'off' as const }
    const server = { endpoint, admin: { user: 'nobody', password: '' }, embedded: undefined }
    return prepareDatabase(server, config, [], createMemoryLogger(), AbortSignal.abort())
  }
  await expect(start('postgresql://db.example.com/shop?sslmode=disable')).rejects.toThrow(
    /DATABASE_REPLICA_URL says sslmode=disable.*\n {4}HINT: take sslmode out of DATABASE_REPLICA_URL/,
  )
  await expect(start('postgresql://localhost/other')).rejects.toThrow(/HINT: end DATABASE_REPLICA_URL with \/shop/)
})
