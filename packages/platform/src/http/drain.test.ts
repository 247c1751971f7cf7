import { Agent, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { until } from '@seaworthy/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { drainServer } from './drain.ts'
import { createHoldingServer } from './server.ts'

describe('the end of a server', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterEach(() => agent.destroy())

  const open = async () => {
    const server = createHoldingServer({ requestMs: 10_000 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as AddressInfo
    return { server, port, drain: (isBehindProxy: boolean) => drain(server, isBehindProxy) }
  }
  const drain = (server: Parameters<typeof drainServer>[0], isBehindProxy: boolean) =>
    drainServer(server, { isBehindProxy, deadlineMs: 20_000, tellSockets: async () => undefined })
  const ask = (port: number): Promise<{ status: number; connection: string | undefined; isReused: boolean }> =>
    new Promise((resolve, reject) => {
      const asked = get({ port, host: '127.0.0.1', path: '/health/live', agent }, (answer) => {
        answer.resume()
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            connection: answer.headers.connection,
            isReused: asked.reusedSocket,
          }),
        )
      })
      asked.once('error', reject)
    })

  it('answers once more on a connection that a proxy keeps, tells it to close, and takes no new one', async () => {
    const { server, port, drain } = await open()
    expect(await ask(port)).toMatchObject({ status: 200, connection: 'keep-alive' })
    const drained = drain(true)
    await until('it takes no new connection', () => !server.listening)
    expect(await ask(port)).toEqual({ status: 200, connection: 'close', isReused: true })
    await drained
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('keeps an idle connection for longer than a proxy does, and then ends it', { timeout: 20_000 }, async () => {
    const { port, drain } = await open()
    await ask(port)
    const startedMs = performance.now()
    await drain(true)
    expect(performance.now() - startedMs).toBeGreaterThan(4_500)
  })

  it('waits for nobody who is idle where no proxy stands in front', async () => {
    const { port, drain } = await open()
    await ask(port)
    const startedMs = performance.now()
    await drain(false)
    expect(performance.now() - startedMs).toBeLessThan(4_400)
  })

  it('tells whoever wants a socket now to come again', async () => {
    const { server, port, drain } = await open()
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    const drained = drain(true)
    await until('it takes no new connection', () => !server.listening)
    socket.write('GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    await until('it is told', () => answer.includes('503 Service Unavailable'))
    expect(answer).toContain('retry-after: 1')
    await drained
  })
})
