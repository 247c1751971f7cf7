import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { giveUntakenToOthers } from './handed-connections.ts'

const program = `
import { createServer } from 'node:http'
createServer((request, response) => response.end(String(process.pid))).listen({ port: 0, host: '127.0.0.1' })`

describe('a connection that was handed to a process which is killed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'handed-'))
  const workers: Worker[] = []
  beforeAll(() => {
    writeFileSync(join(directory, 'program.mjs'), program)
    cluster.setupPrimary({ exec: join(directory, 'program.mjs'), args: [], execArgv: [] })
  })
  afterEach(async () => {
    await Promise.all(workers.splice(0).map(kill))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  async function start(): Promise<{ readonly worker: Worker; readonly port: number; readonly pid: number }> {
    const worker = cluster.fork()
    workers.push(worker)
    giveUntakenToOthers(worker)
    const [{ port }] = (await once(worker, 'listening')) as [{ port: number }]
    return { worker, port, pid: worker.process.pid ?? 0 }
  }
  async function kill(worker: Worker): Promise<void> {
    if (worker.isDead()) return
    const gone = once(worker, 'exit')
    worker.process.kill('SIGKILL')
    await gone
  }
  /** Over a connection of its own: who answered, or why nobody did. */
  const ask = (port: number): Promise<string> =>
    new Promise((resolve) => {
      get({ port, host: '127.0.0.1', agent: new Agent({ keepAlive: false }) }, (answer) => {
        answer.setEncoding('utf8').on('data', resolve)
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'))
    })
  /** Handed over is what a process was sent; one that is stopped takes nothing. */
  const handed = (worker: Worker): Promise<unknown> =>
    new Promise((resolve) => {
      const { process: child } = worker
      const send = child.send.bind(child) as (...all: unknown[]) => boolean
      Object.assign(child, {
        send: (...all: unknown[]) => {
          resolve(undefined)
          return send(...all)
        },
      })
    })

  it('is answered by another', async () => {
    const [victim, other] = [await start(), await start()]
    victim.worker.process.kill('SIGSTOP')
    const onTheWay = handed(victim.worker)
    const answers = [ask(victim.port), ask(victim.port), ask(victim.port)]
    await onTheWay
    await kill(victim.worker)
    expect(await Promise.all(answers)).toEqual(Array(3).fill(String(other.pid)))
    expect(await ask(victim.port)).toBe(String(other.pid))
  })

  it('ends at once where there is no other', async () => {
    const { worker, port } = await start()
    worker.process.kill('SIGSTOP')
    const onTheWay = handed(worker)
    const answer = ask(port)
    await onTheWay
    await kill(worker)
    expect(await answer).toBe('ECONNRESET')
  })
})
