import { spawn } from 'node:child_process'

/**
 * Runs a program and ends it when whoever started this one is gone, for whatever reason: `keeper.js COMMAND ARGS...`.
 * Tells the program's process id and how it ended.
 */
const [command = '', ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
const GRACE_MS = 10_000
const tell = (message: unknown): void => {
  if (process.connected) process.send?.(message, () => undefined)
}
child.once('spawn', () => tell({ pid: child.pid }))
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(127)
})
child.once('exit', (code, signal) => {
  tell({ code: code ?? -1, signal })
  setImmediate(() => process.exit(code ?? 1))
})
process.once('disconnect', () => {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
