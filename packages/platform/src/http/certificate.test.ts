import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { DAY, systemClock } from '@seaworthy/core'
import { turnableClock, until } from '@seaworthy/testkit'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { keepCertificate } from './certificate.ts'
import { createHoldingServer, showCertificate } from './server.ts'

describe('the certificate of a listener', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'certificate-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  /** As Kubernetes mounts a secret: files are links into a directory behind a link that is exchanged. */
  const make = (name: string, days = 30): string => {
    const folder = join(directory, name)
    mkdirSync(folder)
    const to = (file: string) => join(folder, file)
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=${name} -keyout ${to('tls.key')} -out ${to('tls.crt')}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    )
    return folder
  }
  const turnTo = (folder: string): void => {
    symlinkSync(folder, join(directory, 'next'))
    renameSync(join(directory, 'next'), join(directory, 'data'))
  }
  const files = () => ({ certificate: join(directory, 'data', 'tls.crt'), key: join(directory, 'data', 'tls.key') })
  const keep = (log = createMemoryLogger(), clock = systemClock) => keepCertificate(files(), { clock, log, lookMs: 20 })
  const open = (port: number, options: object = {}): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => resolve(socket))
      socket.once('error', reject)
      onTestFinished(() => void socket.destroy())
    })
  const listen = async () => {
    const kept = await keep()
    const server = createHoldingServer({ requestMs: 10_000, isHttps: true, certificate: kept.current() })
    const stop = kept.watch((pair) => showCertificate(server, pair))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    onTestFinished(() => {
      stop()
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }
  const nameShown = async (port: number): Promise<unknown> => (await open(port)).getPeerCertificate().subject.CN
  const answerOn = (socket: TLSSocket): Promise<string> =>
    new Promise((resolve) => {
      socket.once('data', (chunk) => resolve(chunk.toString().split('\r\n')[0] ?? ''))
      socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    })

  it('is replaced by a renewed one behind links, and connections that are open go on', async () => {
    turnTo(make('first'))
    const port = await listen()
    const before = await open(port)
    expect(await answerOn(before)).toBe('HTTP/1.1 200 OK')
    turnTo(make('second'))
    await until('the renewed one is shown', async () => (await nameShown(port)) === 'second')
    expect(await answerOn(before)).toBe('HTTP/1.1 200 OK')
    expect(before.getPeerCertificate().subject.CN).toBe('first')
  })

  it('stays while the new one and its key do not fit yet, which is said once', async () => {
    const log = createMemoryLogger()
    turnTo(make('first'))
    const kept = await keep(log)
    const shown: string[] = []
    onTestFinished(kept.watch((pair) => void shown.push(pair.cert)))
    const second = make('second')
    copyFileSync(join(second, 'tls.crt'), files().certificate)
    await until('it is said', () => log.lines.some((line) => line.includes('cannot be used yet')))
    copyFileSync(join(second, 'tls.key'), files().key)
    await until('it is taken', () => shown.length === 1)
    expect(log.lines.filter((line) => line.includes('cannot be used yet'))).toHaveLength(1)
  })

  it('fails the health of its part for its last fortnight', async () => {
    turnTo(make('first', 30))
    const clock = turnableClock(Date.now())
    const kept = await keep(createMemoryLogger(), clock)
    clock.turn(15 * DAY)
    kept.refuseOld()
    clock.turn(2 * DAY)
    expect(() => kept.refuseOld()).toThrow(/ends in 1[23] days; HINT: renew it/)
    clock.turn(20 * DAY)
    expect(() => kept.refuseOld()).toThrow('has ended')
  })

  it('is refused with words when a file is missing, no PEM, or the key of another', async () => {
    const [first, second] = [make('first'), make('second')]
    turnTo(first)
    rmSync(join(first, 'tls.key'))
    await expect(keep()).rejects.toThrow('TLS_KEY_FILE cannot be read')
    copyFileSync(join(second, 'tls.key'), join(first, 'tls.key'))
    await expect(keep()).rejects.toThrow('is not that of the certificate')
    copyFileSync(join(second, 'tls.crt'), join(first, 'tls.key'))
    await expect(keep()).rejects.toThrow('TLS_KEY_FILE is no PEM')
  })

  it('speaks TLS 1.2 with forward secrecy and 1.3, and nothing else', async () => {
    turnTo(make('first'))
    const port = await listen()
    expect((await open(port)).getProtocol()).toBe('TLSv1.3')
    expect((await open(port, { maxVersion: 'TLSv1.2' })).getCipher().name).toMatch(/^ECDHE-ECDSA-.*(GCM|POLY1305)/)
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }
    await expect(open(port, old)).rejects.toThrow()
    await expect(open(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' })).rejects.toThrow()
  })
})
