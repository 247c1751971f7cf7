import type { RunbookName } from '@seaworthy/core'
import pino from 'pino'
import { createBufferedOutput } from './buffered-output.ts'
import { redactText } from './patterns.ts'
import { type Redact, redact } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>> & { readonly runbook?: RunbookName }
/** An error is an alarm: somebody has to act, and the line names the runbook that says how. */
type AlarmFields = LogFields & { readonly runbook: RunbookName }

/** Structured lines. Fields are redacted; messages are fixed words of the program and are not. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields: AlarmFields): void
  /** The same logger with fields on each line. */
  with(fields: LogFields): Logger
  /** A line of JSON of level `info` that is finished already: the access log's fast way. Must end without a line break. */
  line(json: string): void
  /** Writes out what is buffered; gives up after half a second, or when nobody reads any more. */
  flush(): Promise<void>
}

interface LoggerOptions {
  readonly level: LogLevel
  readonly process: string
  /** What is done with fields before they are written. */
  readonly redact?: Redact
  /** Takes each line instead of standard output. */
  readonly write?: (line: string) => void
}

/** What a part printed, as a line of JSON: what is none already becomes one, redacted. */
export const asLogLine = (line: string, process: string): string =>
  line.startsWith('{"level":"') && line.endsWith('}')
    ? line
    : JSON.stringify({
        level: 'error',
        time: new Date().toISOString(),
        process,
        message: 'printed',
        runbook: 'service-down' satisfies RunbookName,
        text: redactText(line),
      })

/** JSON lines on standard output. */
export function createLogger({ level, process, redact: clean = redact, write }: LoggerOptions): Logger {
  if (write) return createCallbackLogger(level, process, write, clean)
  const output = createBufferedOutput()
  const root = pino(pinoSettings(level, process), { write: (line: string) => output.write(line.trimEnd()) })
  return wrap(root, { line: output.write, flush: output.flush, clean })
}

/** A logger that keeps its lines, for tests. */
export function createMemoryLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  return { ...createCallbackLogger('debug', 'test', (line) => void lines.push(line)), lines }
}

function createCallbackLogger(
  level: LogLevel,
  process: string,
  write: (line: string) => void,
  clean: Redact = redact,
): Logger {
  const root = pino(pinoSettings(level, process), { write: (line: string) => write(line.trimEnd()) })
  return wrap(root, { line: write, flush: () => Promise.resolve(), clean })
}

const pinoSettings = (level: LogLevel, process: string): pino.LoggerOptions => ({
  level,
  base: { process },
  messageKey: 'message',
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
})

interface Ends extends Pick<Logger, 'line' | 'flush'> {
  readonly clean: Redact
}

function wrap(inner: pino.Logger, ends: Ends): Logger {
  const { line, flush, clean } = ends
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!inner.isLevelEnabled(level)) return
    inner[level](fields ? (clean(fields) as object) : {}, message)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(inner.child(clean(fields) as object), ends),
    line: inner.isLevelEnabled('info') ? line : () => undefined,
    flush,
  }
}
