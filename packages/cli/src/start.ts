import { join } from 'node:path'
import { styleText } from 'node:util'
import { prettyLine, type Summary, type Supervisor, startSupervisor } from '@seaworthy/platform/boot'
import { type Config, readConfig } from '@seaworthy/platform/config'
import { createLogger } from '@seaworthy/platform/telemetry'
import { keepDebuggerClosed } from './debugger.ts'
import { findPlace, loadSystem } from './place.ts'

export interface StartOptions {
  /** The port that the web process listens on, when something else stands in front of it. */
  readonly innerPort?: number
  readonly onRunning?: (supervisor: Supervisor) => void
}

/** Runs everything on this machine until it is told to stop. */
export async function start({ innerPort, onRunning }: StartOptions = {}): Promise<void> {
  keepDebuggerClosed()
  const started = performance.now()
  const place = findPlace()
  const settings = readConfig(place.directory)
  const config = innerPort === undefined ? settings : { ...settings, port: innerPort, socket: undefined }
  const pretty =
    config.logFormat === 'pretty' ||
    (config.logFormat === 'auto' && process.stdout.isTTY && config.environment !== 'production')
  const print = (line: string): void => {
    process.stdout.write(`${pretty ? prettyLine(line) : line}\n`)
  }
  const log = createLogger({ level: config.logLevel, process: 'supervisor', ...(pretty ? { write: print } : {}) })
  const stopping = new AbortController()
  const supervisor = startSupervisor({
    signal: stopping.signal,
    environment: innerPort === undefined ? {} : { PORT: String(innerPort), SOCKET: '', PUBLIC_URL: config.publicUrl },
    system: await loadSystem(place),
    build: place.build,
    config,
    log,
    entry: join(import.meta.dirname, 'process.js'),
    execArgv: ['--enable-source-maps', '--expose-gc'],
    onLine: print,
    onReady: (summary) => process.stderr.write(describe(summary, config, performance.now() - started)),
  })
  stopOnSignals(supervisor, stopping, log.flush)
  const running = await supervisor
  onRunning?.(running)
  await running.failed.finally(() => running.stop())
}

/** Once to stop in order, twice to hurry, three times to leave at once. Also while the start is still under way. */
function stopOnSignals(supervisor: Promise<Supervisor>, stopping: AbortController, flush: () => Promise<void>): void {
  let asked = 0
  const stop = async (): Promise<void> => {
    const running = await supervisor.catch(() => undefined)
    await (asked === 1 ? running?.stop() : running?.force())
    await flush()
    process.exit(asked === 1 ? 0 : 1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      asked++
      if (asked > 2) process.exit(1)
      if (asked === 1) process.stderr.write('\nStopping. Once more to force it.\n')
      stopping.abort()
      void stop()
    })
  }
}

function describe(summary: Summary, config: Config, ms: number): string {
  const row = (name: string, text: string): string => `  ${styleText('gray', name.padEnd(10))} ${text}\n`
  const parts = summary.parts
    .map((part) => row(part.name, `${styleText('green', part.state)}, process ${part.pid}`))
    .join('')
  return (
    `\n  ${styleText('bold', 'Seaworthy is up')} after ${(ms / 1_000).toFixed(1)} s\n\n` +
    row('release', summary.release) +
    (summary.url ? row('open', styleText('cyan', summary.url)) : '') +
    (summary.socket ? row('socket', summary.socket) : '') +
    (summary.operatorLink
      ? row(
          'operator',
          `${styleText('cyan', summary.operatorLink)}\n${' '.repeat(13)}makes the first operator, once, within 7 days`,
        )
      : '') +
    row('metrics', `${summary.adminUrl}/metrics`) +
    parts +
    row('database', summary.database) +
    row(
      'data',
      `${summary.dataDirectory}${config.s3Endpoint ? `, files in ${config.s3Bucket} at ${config.s3Endpoint}` : ''}`,
    ) +
    '\n'
  )
}
