import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Installation,
  isAlive,
  jpegPhoto,
  type Newcomer,
  openInstallation,
  statusOf,
  until,
} from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

async function upload(person: Newcomer, width = 3_000, height = 2_000): Promise<string> {
  const response = await person.fetch('/api/cosnap/photos?name=boat.jpg', {
    method: 'POST',
    body: await jpegPhoto(width, height),
  })
  return (await response.json()).id
}

async function start(person: Newcomer, photoId: string, effect = 'oil'): Promise<string> {
  const body = JSON.stringify({ photoId, effect, strength: 60 })
  const response = await person.fetch('/api/cosnap/runs', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
  })
  return (await response.json()).id
}

const run = async (person: Newcomer, id: string): Promise<{ state: string }> =>
  (await person.fetch(`/api/cosnap/runs/${id}`)).json()
const credits = async (person: Newcomer) => {
  const { available, held, spent } = await (await person.fetch('/api/cosnap/credits')).json()
  return { available, held, spent }
}
const untilState = (person: Newcomer, id: string, state: string) =>
  until(`the run is ${state}`, async () => (await run(person, id).catch(() => undefined))?.state === state, 60_000)

describe('an installation', () => {
  let installation: Installation
  beforeAll(async () => {
    installation = await openInstallation()
  })
  afterAll(() => installation.close())

  it.each(['worker', 'web', 'database'])(
    'finishes an effect right, once, when its %s is killed in the middle',
    { timeout: 120_000 },
    async (part) => {
      const person = await installation.newcomer()
      const id = await start(person, await upload(person))
      await untilState(person, id, 'running')
      process.kill(await installation.pid(part), 'SIGKILL')
      await until('it serves again', async () => (await statusOf(`${installation.url}/health/ready`)) === 200, 30_000)
      await untilState(person, id, 'done')
      expect(await credits(person)).toEqual({ available: 18, held: 0, spent: 2 })
      const { items } = await (await person.fetch('/api/cosnap/credits')).json()
      expect(items.map((line: { kind: string }) => line.kind)).toEqual(['capture', 'grant'])
      await installation.ready()
    },
  )

  it('loses no write that it acknowledged when the database is killed under load', async () => {
    const person = await installation.newcomer()
    const body = await jpegPhoto(40, 30)
    const acknowledged: string[] = []
    let writing = true
    const writers = Array.from({ length: 4 }, async () => {
      while (writing) {
        const response = await person
          .fetch('/api/cosnap/photos?name=load.jpg', { method: 'POST', body })
          .catch(() => undefined)
        if (response?.status === 201) acknowledged.push((await response.json()).id)
        else await sleep(50)
      }
    })
    for (let round = 0; round < 3; round++) {
      const before = acknowledged.length
      await until('writes go through', () => acknowledged.length > before + 5, 30_000)
      const killed = await installation.pid('database')
      process.kill(killed, 'SIGKILL')
      await until(
        'another database runs',
        async () => ![0, killed].includes(await installation.pid('database')),
        20_000,
      )
    }
    const last = acknowledged.length
    await until('writes go through again', () => acknowledged.length > last + 5, 30_000)
    writing = false
    await Promise.all(writers)
    const lost = []
    for (const id of acknowledged) if ((await person.fetch(`/api/cosnap/photos/${id}`)).status !== 200) lost.push(id)
    expect(lost).toEqual([])
  })

  it('answers 503 in bounded time while the database is away for 30 seconds, stays live, and comes back by itself', {
    timeout: 120_000,
  }, async () => {
    const person = await installation.newcomer()
    const photoId = await upload(person, 400, 300)
    const frozen = await processesOf(await installation.pid('database'))
    for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    const stoppedAt = Date.now()
    try {
      const asked = Date.now()
      expect((await person.fetch(`/api/cosnap/photos/${photoId}`)).status).toBe(503)
      expect(Date.now() - asked).toBeLessThan(25_000)
      expect(await statusOf(`${installation.url}/health/live`)).toBe(200)
      expect(await statusOf(`${installation.url}/health/ready`)).toBe(503)
      await sleep(Math.max(0, 30_000 - (Date.now() - stoppedAt)))
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
    }
    await until(
      'reads answer again',
      async () => (await person.fetch(`/api/cosnap/photos/${photoId}`)).status === 200,
      10_000,
    )
    const id = await start(person, photoId, 'noir')
    await untilState(person, id, 'done')
  })

  it('adopts the running database after its supervisor was killed', async () => {
    const person = await installation.newcomer()
    const photoId = await upload(person, 400, 300)
    const [web, worker, database] = await Promise.all(
      ['web', 'worker', 'database'].map((part) => installation.pid(part)),
    )
    installation.signal('SIGKILL')
    await until('its processes have ended', () => !isAlive(web ?? 0) && !isAlive(worker ?? 0), 40_000)
    expect(isAlive(database ?? 0)).toBe(true)
    await installation.restart()
    expect(installation.output()).toContain('adopted from an earlier start')
    expect((await person.fetch(`/api/cosnap/photos/${photoId}`)).status).toBe(200)
  })

  it('refuses a second start on the same data, and a taken port, each with one clear line', {
    timeout: 120_000,
  }, async () => {
    const second = await openInstallation({ dataDirectory: installation.dataDirectory, mayFail: true })
    await until('it gave up', () => second.exitCode() !== undefined)
    expect(second.output()).toMatch(/Another start is running on .*\n\s+HINT: stop it with kill \d+/)
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', () => resolve()))
    const { port } = squatter.address() as { port: number }
    const third = await openInstallation({ environment: { PORT: String(port) }, mayFail: true })
    await until('it gave up', () => third.exitCode() !== undefined)
    expect(third.output()).toMatch(new RegExp(`Port ${port} is taken by another program.\\n\\s+HINT: PORT=`))
    squatter.close()
    await third.close()
  })

  it('names the setting of a host that is no address of this machine', async () => {
    const start = await openInstallation({ environment: { HOST: '192.0.2.1' }, mayFail: true })
    await until('it gave up', () => start.exitCode() !== undefined)
    expect(start.output()).toMatch(/ is no address of this machine: .*\n\s+HINT: set HOST/)
    await start.close()
  })

  it('refuses wrong settings, all at once, before it opens anything', async () => {
    const wrong = await openInstallation({
      environment: { JWT_ACCESS_EXPIRY: 'soon', DB_POOL_MAX: 'many' },
      mayFail: true,
    })
    await until('it gave up', () => wrong.exitCode() !== undefined)
    expect(wrong.exitCode()).toBe(1)
    expect(wrong.output()).toMatch(
      /2 settings are wrong:[\s\S]*DB_POOL_MAX[\s\S]*HINT[\s\S]*JWT_ACCESS_EXPIRY[\s\S]*HINT/,
    )
    await wrong.close()
  })

  it('merges the metrics of its processes on the port that only this machine reaches', async () => {
    await statusOf(`${installation.url}/api/cosnap/effects`)
    const text = await (await fetch(`${installation.adminUrl}/metrics`)).text()
    expect(text).toContain('http_request_duration_seconds_bucket')
    expect(text).toContain('jobs_finished_total')
    expect((await fetch(`${installation.url}/metrics`)).status).toBe(404)
  })

  it('finishes what is under way when it is asked to stop, hands the job back, and exits with 0', {
    timeout: 120_000,
  }, async () => {
    const person = await installation.newcomer()
    const photoId = await upload(person)
    const id = await start(person, photoId)
    await untilState(person, id, 'running')
    const pids = await Promise.all(['web', 'worker', 'database'].map((part) => installation.pid(part)))
    const slow = person.fetch('/api/cosnap/photos?name=slow.jpg', {
      method: 'POST',
      body: await jpegPhoto(4_000, 3_000),
    })
    await sleep(20)
    installation.signal('SIGTERM')
    expect((await slow).status).toBe(201)
    await until('it has stopped', () => installation.exitCode() !== undefined, 40_000)
    expect(installation.exitCode()).toBe(0)
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
    await installation.restart()
    await untilState(person, id, 'done')
    expect(await credits(person)).toEqual({ available: 18, held: 0, spent: 2 })
  })
})

/** A process and its children: PostgreSQL's backends stop answering only when each of them is frozen. */
async function processesOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises')
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return [pid, ...children.trim().split(/\s+/).filter(Boolean).map(Number)]
}
