import { lstatSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { until } from '@seaworthy/testkit'
import { describe, expect, it } from 'vitest'
import { useReleases } from './releases.ts'

/** A request through a socket, as a proxy on this machine makes it. */
const ask = (socketPath: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<number> =>
  new Promise((resolve) => {
    const asked = request(
      { socketPath, path, method: body ? 'POST' : 'GET', headers: { host: 'localhost:3000', ...headers } },
      (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    asked.once('error', () => resolve(0))
    asked.end(body)
  })

describe('a socket instead of a port', () => {
  const releases = useReleases()
  const socket = () => join(releases.directory(), 'web.sock')
  const settings = () => ({ ...releases.database(), SOCKET: socket(), TRUSTED_PROXIES: '1' })
  const listen = async (path: string) => {
    const server = createServer((connection) => connection.end())
    await new Promise<void>((resolve) => server.listen(path, resolve))
    return server
  }

  it('opens for its group only, counts callers by what the proxy says, and goes with the release', {
    timeout: 150_000,
  }, async () => {
    const release = await releases.start({ ...settings(), AUTH_RATE_LIMIT_MAX: '2' })
    await release.ready()
    expect(statSync(socket()).mode & 0o777).toBe(0o660)
    const signIn = (address?: string) =>
      ask(
        socket(),
        '/api/identity/sign-in',
        { 'content-type': 'application/json', ...(address ? { 'x-forwarded-for': `6.6.6.6, ${address}` } : {}) },
        '{"email":"nobody@example.com","password":"not a password of theirs"}',
      )
    const tries = async (address?: string) => [await signIn(address), await signIn(address), await signIn(address)]
    expect(await tries('203.0.113.7')).toEqual([401, 401, 429])
    expect(await signIn('198.51.100.7')).toBe(401)
    expect(await tries()).toEqual([401, 401, 429])
    await until('the requests are in the log', () => release.output().includes('"network":"127.0.x.x"'))
    expect(release.output()).toContain('"network":"198.51.x.x"')
    release.signal('SIGKILL')
    await release.ended()
    const next = await releases.start(settings())
    await next.ready()
    expect(await ask(socket(), '/health/ready')).toBe(200)
    next.signal('SIGTERM')
    await next.ended()
    expect(lstatSync(socket(), { throwIfNoEntry: false })).toBeUndefined()
  })

  it('leaves the name to whoever has taken it meanwhile', { timeout: 120_000 }, async () => {
    const release = await releases.start(settings())
    await release.ready()
    const other = await listen(`${socket()}.other`)
    renameSync(`${socket()}.other`, socket())
    const { ino } = lstatSync(socket())
    release.signal('SIGTERM')
    await release.ended()
    expect(lstatSync(socket()).ino).toBe(ino)
    other.close()
  })

  it('is refused where somebody answers, where something else is, and without a counted proxy', {
    timeout: 120_000,
  }, async () => {
    const other = await listen(socket())
    expect(await (await releases.start(settings())).ended()).toContain('Another program answers at the socket')
    await new Promise((resolve) => other.close(resolve))
    writeFileSync(socket(), 'a letter')
    expect(await (await releases.start(settings())).ended()).toContain('SOCKET is no socket')
    const uncounted = await releases.start({ ...settings(), TRUSTED_PROXIES: '0' })
    expect(await uncounted.ended()).toContain('SOCKET needs TRUSTED_PROXIES of at least 1')
  })
})
