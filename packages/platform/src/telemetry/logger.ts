import pino from 'pino'
import { redact } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

/** Structured lines. Fields are redacted; messages are fixed words of the program and are not. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same logger with fields on each line. */
  with(fields: LogFields): Logger
  /** A line of JSON that is finished already: the access log's fast way. Must end without a line break. */
  line(json: string): void
  /** Writes out what is buffered. */
  flush(): void
}

const BUFFER_BYTES = 4_096
const FLUSH_MS = 250

/** JSON lines on standard output, buffered for a quarter of a second so that logging never holds up a request. */
export function createLogger(options: {
  readonly level: LogLevel
  readonly process: string
  readonly write?: (line: string) => void
}): Logger {
  if (options.write) return createCallbackLogger(options.level, options.process, options.write)
  const destination = pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES })
  setInterval(() => flush(), FLUSH_MS).unref()
  const flush = (): void => {
    try {
      destination.flushSync()
    } catch {
      // Not open yet, or the reader is gone: nothing to write to.
    }
  }
  const root = pino(pinoSettings(options.level, options.process), destination)
  return wrap(root, (json) => void destination.write(`${json}\n`), flush)
}

/** A logger that keeps its lines, for tests. */
export function createMemoryLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  return { ...createCallbackLogger('debug', 'test', (line) => void lines.push(line)), lines }
}

function createCallbackLogger(level: LogLevel, process: string, write: (line: string) => void): Logger {
  const root = pino(pinoSettings(level, process), { write: (line: string) => write(line.trimEnd()) })
  return wrap(root, write, () => undefined)
}

const pinoSettings = (level: LogLevel, process: string): pino.LoggerOptions => ({
  level,
  base: { process },
  messageKey: 'message',
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
})

function wrap(inner: pino.Logger, line: (json: string) => void, flush: () => void): Logger {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!inner.isLevelEnabled(level)) return
    inner[level](fields ? (redact(fields) as object) : {}, message)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(inner.child(redact(fields) as object), line, flush),
    line,
    flush,
  }
}
