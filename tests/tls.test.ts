import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { until } from '@seaworthy/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Release, useReleases } from './releases.ts'

const DAY_SECONDS = 86_400

describe('an installation that speaks TLS itself', () => {
  const releases = useReleases()

  it('takes a local certificate over while connections go on, refuses old TLS and plain HTTP, and tells of the end', {
    timeout: 180_000,
  }, async () => {
    await makeCertificate()
    const settings = { TLS_CERT_FILE: file('tls.crt'), TLS_KEY_FILE: file('tls.key') }
    const release = await releases.start({ ...releases.database(), ...settings })
    await release.ready()
    const port = Number(new URL(release.url).port)
    const browser = openBrowser(port)
    const page = await browser.ask('/')
    expect(page).toMatchObject({ status: 200, isReused: false })
    expect(page.headers['strict-transport-security']).toMatch(/^max-age=\d{8}/)
    expect(await speak(port, '-tls1_2')).toMatch(/Protocol *: TLSv1\.2/)
    expect(await speak(port, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0')).toMatch(/alert protocol version/)
    const plain = await askPlain(port)
    expect(plain).toMatch(/^HTTP\/1\.1 400 [\s\S]*This port speaks HTTPS only/)
    expect(plain).not.toMatch(/strict-transport-security/i)

    await makeCertificate()
    await until(
      'the renewed one is shown',
      async () => (await openBrowser(port).ask('/')).serial !== page.serial,
      30_000,
    )
    expect(await browser.ask('/')).toMatchObject({ status: 200, isReused: true, serial: page.serial })
    expect(await secondsLeft(release)).toBeGreaterThan(390 * DAY_SECONDS)
    expect(await numberOf(release, 'health_failed_parts')).toBe(0)

    makeShort()
    await until('it is told', () => alarms(release).length > 0, 45_000)
    expect(await numberOf(release, 'health_failed_parts')).toBe(1)
    expect(await secondsLeft(release)).toBeLessThan(10 * DAY_SECONDS)
    // Nothing that others need has failed.
    expect((await browser.ask('/health/ready')).status).toBe(200)
    release.signal('SIGTERM')
    await release.ended()
    expect(alarms(release)).toEqual([expect.stringMatching(/ends in 9 days; HINT: renew it/)])
  })

  const file = (name: string): string => join(releases.directory(), 'tls', name)

  async function makeCertificate(): Promise<void> {
    const made = await releases.command({}, 'tls', 'local', 'localhost')
    expect(made).toMatchObject({ code: 0 })
  }

  /** Of nobody, and too short: no browser would take it. */
  function makeShort(): void {
    const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=localhost`
    const to = ['-keyout', file('tls.key'), '-out', file('tls.crt')]
    execFileSync('openssl', [...made.split(' '), ...to], { stdio: 'ignore' })
  }

  /** Trusts the authority and nobody else, and keeps its connection. */
  function openBrowser(port: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(file('authority.crt')) })
    onTestFinished(() => agent.destroy())
    const ask = (path: string) =>
      new Promise<{ status: number; serial: string; isReused: boolean; headers: NodeJS.Dict<string | string[]> }>(
        (resolve, reject) => {
          const headers = { accept: 'text/html' }
          const asked = get({ agent, host: 'localhost', port, path, headers }, async (answer) => {
            const serial = (answer.socket as TLSSocket).getPeerCertificate().serialNumber
            await text(answer)
            resolve({ status: answer.statusCode ?? 0, serial, isReused: asked.reusedSocket, headers: answer.headers })
          })
          asked.once('error', reject)
        },
      )
    return { ask }
  }
})

/** What openssl says of a handshake. */
const speak = (port: number, ...options: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const args = ['s_client', '-connect', `localhost:${port}`, ...options]
    execFile('openssl', args, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`)).stdin?.end()
  })

const askPlain = (port: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'))
  return text(socket)
}

async function numberOf({ adminUrl }: Release, metric: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  return Number(new RegExp(`^\\S*${metric}\\S* (\\S+)$`, 'm').exec(metrics)?.[1])
}

const secondsLeft = (release: Release): Promise<number> => numberOf(release, 'tls_certificate_expires_seconds')

const alarms = (release: Release): string[] =>
  release
    .output()
    .split('\n')
    .filter((line) => line.includes('"a part of the service fails"') && line.includes('"certificate"'))
