import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statusOf, until } from '@seaworthy/testkit'
import { describe, expect, it } from 'vitest'
import { useReleases } from './releases.ts'

describe('releases beside each other', () => {
  const releases = useReleases()
  const withoutOwner = () => ({ ...releases.database(''), MIGRATIONS: 'wait' })

  it('prepares the database by a command, which says what it did and what it would do', {
    timeout: 120_000,
  }, async () => {
    const planned = await releases.command(releases.database(), 'migrate', '--dry-run', '--json')
    const { pending } = JSON.parse(planned.stdout) as { pending: string[] }
    expect(pending[0]).toBe('platform/0001-foundation.sql')
    expect(pending.at(-1)).toMatch(/^cosnap\//)
    const done = await releases.command(releases.database(), 'migrate')
    const [link, ...names] = done.stdout.trim().split('\n').reverse()
    expect(names.reverse()).toEqual(pending)
    expect(link).toMatch(/\/sign-up\?operator=[\w-]+ {2}makes the first operator/)
    const again = await releases.command(releases.database(), 'migrate', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ applied: [] })
    const otherKey = { ...releases.database(), ENCRYPTION_KEY: randomBytes(32).toString('hex') }
    const wrong = await releases.command(otherKey, 'migrate', '--dry-run', '--json')
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      pending: [],
      missingKeys: [expect.stringMatching(/^[0-9a-f]{16}$/)],
    })
    const told = await releases.command(otherKey, 'migrate', '--dry-run')
    expect(told).toMatchObject({ code: 1, stderr: expect.stringContaining('ENCRYPTION_KEYS_OLD') })
    const away = await releases.command(
      { ...releases.database(), DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/none', DB_CONNECT_TRIES: '1' },
      'migrate',
    )
    expect(away).toMatchObject({ code: 1, stdout: '' })
  })

  it('serves without the credential of the owner, once another has prepared the database', {
    timeout: 150_000,
  }, async () => {
    const waiting = await releases.start(withoutOwner())
    await until(
      'it says what it waits for',
      () => waiting.output().includes('waiting until the database is prepared'),
      60_000,
    )
    expect(await statusOf(`${waiting.adminUrl}/health/live`)).toBe(200)
    expect(await statusOf(`${waiting.adminUrl}/health/ready`)).toBe(503)
    const prepared = await releases.command(releases.database(), 'migrate')
    expect(prepared.code).toBe(0)
    await waiting.ready()
    const person = await waiting.newcomer()
    expect((await person.fetch('/api/cosnap/credits')).status).toBe(200)
  })

  it('runs two on one directory, tells which release each is, and one that only runs jobs takes no port', {
    timeout: 150_000,
  }, async () => {
    const first = await releases.start(releases.database())
    await first.ready()
    const PORT = String(await takenPort())
    const worker = { ...withoutOwner(), PORT, WEB_PROCESSES: '0', WORKER_PROCESSES: '1', ADMIN_HOST: '0.0.0.0' }
    const second = await releases.start(worker)
    await second.ready()
    const told = (await (await fetch(`${second.adminUrl}/health`)).json()) as { release: string; version: string }
    expect(told.release).toMatch(/^[0-9a-f]{12}$/)
    expect(told.version).toMatch(/^\d+\.\d+\.\d+$/)
    await until('the log tells the release', () => second.output().includes(`"release":"${told.release}"`))
    const address = { ADMIN_HOST: '0.0.0.0', ADMIN_PORT: new URL(second.adminUrl).port }
    expect(await releases.command(address, 'health')).toEqual({ code: 0, stdout: '', stderr: '' })
    second.signal('SIGTERM')
    await second.ended()
    const { code, stderr } = await releases.command(address, 'health')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Not ready: nothing answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.\n$/)
    expect(await statusOf(`${first.url}/health/ready`)).toBe(200)
  })

  it('tells its health on a Unix socket, with the memory of each process', async () => {
    const ADMIN_SOCKET = join(mkdtempSync(join(tmpdir(), 'admin-')), 'admin.sock')
    const release = await releases.start({ ...releases.database(), ADMIN_SOCKET })
    await until('it is ready', async () => (await releases.command({ ADMIN_SOCKET }, 'health')).code === 0)
    const { parts } = await askSocket(ADMIN_SOCKET)
    for (const { memoryBytes } of parts) expect(memoryBytes).toBeGreaterThan(10 * 1024 ** 2)
    release.signal('SIGTERM')
    await release.ended()
    expect(existsSync(ADMIN_SOCKET)).toBe(false)
    expect((await releases.command({ ADMIN_SOCKET }, 'health')).stderr).toContain(`nothing answers at ${ADMIN_SOCKET}`)
  })

  it('refuses a start in which nothing would run', async () => {
    const nothing = await releases.start({ ...releases.database(), WEB_PROCESSES: '0', WORKER_PROCESSES: '0' })
    expect(await nothing.ended()).toContain('WEB_PROCESSES and WORKER_PROCESSES are both 0: nothing would run')
  })
})

const askSocket = (socketPath: string): Promise<{ parts: { memoryBytes: number }[] }> =>
  new Promise((resolve, reject) => {
    get({ socketPath, path: '/health' }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.once('end', () => resolve(JSON.parse(text) as { parts: { memoryBytes: number }[] }))
    }).once('error', reject)
  })

/** Held until this process ends. */
async function takenPort(): Promise<number> {
  const server = createServer().unref()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return (server.address() as { port: number }).port
}
