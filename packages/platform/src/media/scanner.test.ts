import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FakeClamd, openFakeClamd, until } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openClamd } from './drivers/clamd.ts'
import { createFileCheck, type Scanner } from './scanner.ts'

const bytes = randomBytes(300_000)
const LATE_MS = 300

describe('a virus scanner', () => {
  let directory: string
  let file: string
  const closing: (() => Promise<void>)[] = []
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'scanner-'))
    file = join(directory, 'file')
    writeFileSync(file, bytes)
  })
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const start = async (...script: Parameters<typeof openFakeClamd>): Promise<FakeClamd> => {
    const clamd = await openFakeClamd(...script)
    closing.push(() => clamd.close())
    return clamd
  }
  /** Something else that listens. */
  async function serve(greet: (socket: Socket) => unknown): Promise<string> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      greet(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  function checkWith(scanner: Scanner, timeoutMs = 5_000) {
    const counted: string[] = []
    const check = createFileCheck({ scanner, timeoutMs, count: (verdict) => counted.push(verdict) })
    return { check, counted }
  }

  it('gets the whole file, and calls it clean', async () => {
    const clamd = await start()
    const { check, counted } = checkWith(openClamd(clamd.url))
    expect(await check(file)).toEqual({ kind: 'clean' })
    expect(clamd.files[0]?.equals(bytes)).toBe(true)
    expect(counted).toEqual(['clean'])
    await until('the connection is closed', () => clamd.connections.now === 0)
  })

  it('is asked at a socket of this machine too, and about an empty file', async () => {
    const path = join(directory, 'clamd.ctl')
    const clamd = await start(() => 'stream: OK', path)
    writeFileSync(join(directory, 'empty'), '')
    const { check } = checkWith(openClamd(`unix:${path}`))
    expect(await check(join(directory, 'empty'))).toEqual({ kind: 'clean' })
    expect(clamd.files).toEqual([Buffer.alloc(0)])
    await openClamd(`unix://${path}`).ping(AbortSignal.timeout(1_000))
  })

  it('says what it found', async () => {
    const clamd = await start(() => 'stream: Win.Test.EICAR_HDB-1 FOUND')
    const { check, counted } = checkWith(openClamd(clamd.url))
    expect(await check(file)).toEqual({ kind: 'infected', name: 'Win.Test.EICAR_HDB-1' })
    expect(counted).toEqual(['infected'])
  })

  /** One byte every 20 ms, and no end in sight. */
  const drip = (socket: Socket): undefined => {
    const timer = setInterval(() => socket.write(' '), 20)
    socket.once('close', () => clearInterval(timer))
  }
  const cut = (socket: Socket, text: string): undefined => {
    socket.end(text)
  }

  it.each<[string, Parameters<typeof openFakeClamd>[0], RegExp]>([
    ['an error', () => 'stream: Can not allocate memory ERROR', /Can not allocate memory ERROR/],
    ['that the file is too large', () => 'INSTREAM size limit exceeded. ERROR', /size limit exceeded/],
    ['something that only begins well', () => 'stream: OK, as far as I looked', /answers "stream: OK, as/],
    ['OK about something else', () => '/tmp/other: OK', /tmp\/other/],
    ['a find without a name', () => 'stream:  FOUND', /FOUND/],
    ['nothing', () => '', /answers ""/],
    ['nothing, and hangs up', (_, socket) => cut(socket, ''), /hung up without an answer/],
    ['half an answer, and hangs up', (_, socket) => cut(socket, 'stream: O'), /hung up without an answer/],
    ['OK without an end, and hangs up', (_, socket) => cut(socket, 'stream: OK'), /hung up without an answer/],
    ['more than an answer', (_, socket) => cut(socket, 'x'.repeat(5_000)), /has no end/],
    ['nothing for ever', () => undefined, /no verdict within 300 ms/],
    ['a byte now and then', (_, socket) => drip(socket), /no verdict within 300 ms/],
  ])('that says %s lets nothing through', async (_, script, why) => {
    const clamd = await start(script)
    const { check, counted } = checkWith(openClamd(clamd.url), LATE_MS)
    const began = performance.now()
    await expect(check(file)).rejects.toMatchObject({
      code: 'scanner_unavailable',
      status: 503,
      retryAfterSeconds: 30,
      message: expect.stringMatching(why),
    })
    expect(performance.now() - began).toBeLessThan(LATE_MS + 10_000)
    expect(counted).toEqual(['none'])
    await until('the connection is closed', () => clamd.connections.now === 0)
  })

  it('that hangs up or stops reading in the middle of the file lets nothing through', async () => {
    const large = join(directory, 'large')
    writeFileSync(large, Buffer.alloc(20_000_000))
    for (const act of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.pause()]) {
      const url = await serve((socket) => socket.once('data', () => act(socket)))
      const { check } = checkWith(openClamd(url), LATE_MS)
      await expect(check(large)).rejects.toMatchObject({ code: 'scanner_unavailable' })
    }
  })

  it('that is not there lets nothing through, and says so when it is pinged', async () => {
    const clamd = await openFakeClamd()
    await clamd.close()
    const scanner = openClamd(clamd.url)
    await expect(checkWith(scanner).check(file)).rejects.toMatchObject({ code: 'scanner_unavailable' })
    await expect(scanner.ping(AbortSignal.timeout(1_000))).rejects.toThrow(/ECONNREFUSED/)
    await expect(openClamd(`unix:${directory}/none`).ping(AbortSignal.timeout(1_000))).rejects.toThrow(/ENOENT/)
  })

  it('that answers a ping with something else is not well', async () => {
    const clamd = await start()
    await openClamd(clamd.url).ping(AbortSignal.timeout(1_000))
    const url = await serve((socket) => socket.end('220 mail.example.com\r\n\0'))
    await expect(openClamd(url).ping(AbortSignal.timeout(1_000))).rejects.toThrow(/220 mail/)
  })

  it('is asked about four files at a time; whoever waits too long, or finds too many waiting, gets no verdict', async () => {
    const clamd = await start(() => undefined)
    const { check, counted } = checkWith(openClamd(clamd.url), LATE_MS)
    const began = performance.now()
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => check(file)))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    expect(performance.now() - began).toBeLessThan(LATE_MS + 10_000)
    // One that is given up may still be closing when the next one begins.
    expect(clamd.connections.most).toBeLessThanOrEqual(8)
    expect(counted).toHaveLength(40)
    clamd.play(() => 'stream: OK')
    expect(await check(file)).toEqual({ kind: 'clean' })
  })
})
