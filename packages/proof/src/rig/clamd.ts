import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { freePort } from './ports.ts'
import type { Rig } from './rig.ts'
import { until } from './wait.ts'

export interface Clamd {
  /** For `CLAMD_URL`. */
  readonly url: string
  /** How many files it has called infected. */
  found(): number
  /** It accepts connections still, and says nothing. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
}

/**
 * ClamAV's scanner on a port of loopback, with one signature of our own: these bytes anywhere in a file. The claim must name
 * `clamd` among its needs.
 */
export async function startClamd(rig: Rig, signature: string): Promise<Clamd> {
  const directory = mkdtempSync(join(rig.scratch, 'clamd-'))
  const port = await freePort()
  mkdirSync(join(directory, 'signatures'))
  writeFileSync(
    join(directory, 'signatures', 'proof.ndb'),
    `Proof.Planted:0:*:${Buffer.from(signature).toString('hex')}\n`,
  )
  const lines = [
    `DatabaseDirectory ${join(directory, 'signatures')}`,
    `TemporaryDirectory ${directory}`,
    `TCPSocket ${port}`,
    'TCPAddr 127.0.0.1',
    'Foreground yes',
  ]
  writeFileSync(join(directory, 'clamd.conf'), `${lines.join('\n')}\n`)
  const started: KeptProcess[] = []
  const newest = (signal: NodeJS.Signals) => started.at(-1)?.signal(signal) ?? Promise.resolve()
  const kill = async (): Promise<void> => {
    await newest('SIGKILL')
    await started.at(-1)?.exited
  }
  const start = async (): Promise<void> => {
    const options = { env: bareEnvironment(), cwd: directory }
    started.push(keepProcess(rig.program('clamd'), ['--config-file', join(directory, 'clamd.conf')], options))
    await until('clamd answers', () => answers(port))
  }
  await start()
  rig.defer(kill)
  return {
    url: `tcp://127.0.0.1:${port}`,
    found: () => started.flatMap(({ output }) => output().match(/ FOUND$/gm) ?? []).length,
    freeze: () => newest('SIGSTOP'),
    thaw: () => newest('SIGCONT'),
    kill,
    start,
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('zPING\0'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString() === 'PONG\0')
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
