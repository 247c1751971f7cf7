/** Node opens a debugger on SIGUSR1 unless somebody listens. Whoever wants one starts with `--inspect`. */
export function keepDebuggerClosed(): void {
  process.on('SIGUSR1', () => undefined)
}
