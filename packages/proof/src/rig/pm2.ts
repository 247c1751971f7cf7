import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { isAlive, keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import { renderTo } from './rendered-nginx.ts'
import type { Rig } from './rig.ts'
import { statusOf } from './stack.ts'
import { until } from './wait.ts'

/** The product on a directory of its own, kept by PM2 with the rendered file. The claim needs `pm2`. */
export interface UnderPm2 {
  readonly url: string
  /** Of the supervisor that wrote itself down last. */
  supervisor(): number
  /** Of the embedded database. */
  database(): number
  isReady(): Promise<boolean>
  output(): string
}

const READY_MS = 120_000

export async function startUnderPm2(rig: Rig): Promise<UnderPm2> {
  // The file names the checkout that it is in.
  const file = join(rig.product, 'deploy', 'pm2', 'ecosystem.config.cjs')
  mkdirSync(join(file, '..'), { recursive: true })
  cpSync(join(await renderTo(rig, 'pm2'), 'pm2', 'ecosystem.config.cjs'), file)
  const [port, adminPort] = [await freePort(), await freePort()]
  const [data, url] = [join(rig.scratch, 'under-pm2'), `http://127.0.0.1:${port}`]
  const env = {
    ...bareEnvironment(),
    PM2_HOME: join(rig.scratch, 'pm2'),
    DATA_DIR: data,
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    PUBLIC_URL: url,
  }
  const program = join(rig.program('pm2'), 'bin', 'pm2')
  const pm2 = keepProcess(process.execPath, [program, 'start', file, '--no-daemon'], { env, cwd: rig.product })
  const pidIn = (...path: string[]): number => Number(readFileSync(join(data, ...path), 'utf8').split('\n')[0])
  const database = (): number => pidIn('database', 'postmaster.pid')
  rig.defer(async () => {
    await pm2.signal('SIGTERM')
    await pm2.exited
    await endDatabase(database)
  })
  const isReady = async (): Promise<boolean> => (await statusOf(`${url}/health/ready`)) === 200
  await until(
    'the product serves under PM2',
    () => {
      if (pm2.exit()) throw new Error(`PM2 ended: ${pm2.output().slice(-1_000)}`)
      return isReady()
    },
    READY_MS,
  )
  return { url, supervisor: () => pidIn('supervisor.pid'), database, isReady, output: pm2.output }
}

/** Whose supervisor was killed and not started again goes on by itself. */
async function endDatabase(find: () => number): Promise<void> {
  const pid = pidOrNone(find)
  if (!pid || !isAlive(pid)) return
  process.kill(pid, 'SIGINT')
  await until('the database ended', async () => !isAlive(pid))
}

function pidOrNone(find: () => number): number {
  try {
    return find()
  } catch {
    return 0
  }
}
