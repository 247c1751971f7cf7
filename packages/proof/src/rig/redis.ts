import { mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { until } from './wait.ts'

export interface RedisServer {
  /** For `REDIS_URL`. */
  readonly url: string
  /** At once, as if its machine was gone. What it held is lost. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Redis on a port of loopback. The claim must name `redis-server` among its needs. */
export async function startRedis(rig: Rig): Promise<RedisServer> {
  const port = await freePort()
  const directory = mkdtempSync(join(rig.scratch, 'redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  let server: KeptProcess
  const start = async (): Promise<void> => {
    server = keepProcess(rig.program('redis-server'), args, { env: bareEnvironment(), cwd: directory })
    await until('Redis answers', () => answers(port))
  }
  const kill = async (): Promise<void> => {
    await server.signal('SIGKILL')
    await server.exited
  }
  await start()
  rig.defer(kill)
  return { url: `redis://127.0.0.1:${port}`, kill, start }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
}
