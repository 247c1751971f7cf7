import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { MINUTE, pause } from '@seaworthy/core'
import { openVisitor } from '@seaworthy/journeys'
import { readConfig } from '@seaworthy/platform/config'
import type { UseLine } from '@seaworthy/platform/recovery'
import { walkJourneys } from './journey.ts'
import { findPlace } from './place.ts'

const READY_MS = 5 * MINUTE
const ASK_AGAIN_MS = 50

/** Starts the service on what a drill has restored, uses it as somebody would, and stops it. */
const tell = (line: UseLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1_000

const socket = readConfig(findPlace().directory).socket ?? ''
const started = performance.now()
const service = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), 'start'], {
  stdio: ['ignore', 'pipe', 'pipe'],
})
let said = ''
for (const stream of [service.stdout, service.stderr])
  stream.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  })
const ended = new Promise<void>((resolve) => service.once('close', () => resolve()))
try {
  await untilReady()
  tell({ kind: 'ready', seconds: secondsSince(started) })
  const walking = performance.now()
  await walkJourneys({ socket }, (line) => tell({ kind: 'journey', text: line }))
  tell({ kind: 'end', seconds: secondsSince(walking) })
} catch (error) {
  process.stderr.write(`${said.trim().split('\n').slice(-3).join('\n')}\n${(error as Error).message.split('\n')[0]}\n`)
  process.exitCode = 1
} finally {
  service.kill('SIGTERM')
  await ended
}

async function untilReady(): Promise<void> {
  const visitor = openVisitor({ socketPath: socket, headers: { host: 'drill.invalid' }, timeoutMs: MINUTE })
  for (const end = performance.now() + READY_MS; ; await pause(ASK_AGAIN_MS)) {
    if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}`)
    const answer = await visitor.send('GET', '/health/ready').catch(() => undefined)
    if (answer?.status === 200) return
    if (performance.now() > end) throw new Error(`the service is not ready after ${READY_MS / MINUTE} minutes`)
  }
}
