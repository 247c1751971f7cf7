import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { shedLoad } from './overload.ts'

describe('overload', () => {
  let server: Server
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  let databaseWaitMs = 0
  async function open(workMs: number) {
    const log = createMemoryLogger()
    const metrics = createMetrics()
    let [served, atMs] = [0, 0]
    const work = shedLoad(
      (_request, response) => {
        served++
        atMs += workMs
        response.end('served')
      },
      { databaseWaitMs: () => databaseWaitMs, log, metrics, isHttps: false, clock: () => atMs },
    )
    server = createServer(work)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const port = (server.address() as AddressInfo).port
    return { url: `http://127.0.0.1:${port}`, port, log, metrics, served: () => served }
  }

  /** All in one packet, so that they come in one turn of the loop. */
  function pipeline(port: number, paths: readonly string[]): Promise<string> {
    return new Promise((resolve) => {
      let text = ''
      const socket = connect(port, '127.0.0.1', () => {
        const ask = (path: string, last: boolean) =>
          `GET ${path} HTTP/1.1\r\nHost: a\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
        socket.write(paths.map((path, i) => ask(path, i === paths.length - 1)).join(''))
      })
      socket.on('data', (data) => {
        text += data
      })
      socket.on('close', () => resolve(text))
    })
  }

  it('works for a quarter of a second on many that came at once, and tells the rest to come again', async () => {
    const { port, log, metrics, served } = await open(20)
    const text = await pipeline(port, [...Array<string>(18).fill('/'), '/health/live', '/'])
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(17)
    expect(text.match(/HTTP\/1.1 503/g)).toHaveLength(3)
    expect(text.match(/retry-after: 1/g)).toHaveLength(3)
    expect(text).toContain('"code":"unavailable"')
    expect(served()).toBe(17)
    expect(log.lines.filter((line) => line.includes('the service is full'))).toHaveLength(1)
    expect(await metrics.text()).toMatch(/http_requests_shed_total\{why="event loop"\} 3/)
  })

  it('refuses nobody who comes with a few others, however slow the machine is', async () => {
    const { port } = await open(5_000)
    const text = await pipeline(port, Array<string>(16).fill('/'))
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(16)
  })

  it('refuses nobody when little is to be done, however many come', async () => {
    const { port } = await open(0)
    const text = await pipeline(port, Array<string>(200).fill('/'))
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(200)
  })

  it('refuses what would wait too long for the database, but not whoever watches', async () => {
    const { url } = await open(0)
    databaseWaitMs = 1_001
    const refused = await fetch(`${url}/api/cosnap/photos`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff')
    for (const path of ['/health', '/health/ready', '/live', '/api/health'])
      expect((await fetch(`${url}${path}`)).status).toBe(200)
    databaseWaitMs = 1_000
    expect((await fetch(`${url}/api/cosnap/photos`)).status).toBe(200)
  })
})
