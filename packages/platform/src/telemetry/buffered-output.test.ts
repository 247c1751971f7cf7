import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'

const program = `
  const { createBufferedOutput } = await import(${JSON.stringify(new URL('./buffered-output.ts', import.meta.url).href)})
  const output = createBufferedOutput()
  setTimeout(() => output.write('after a silence'), 600)
  setInterval(() => undefined, 1_000)`

it('writes what comes after a silence while the process still runs', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
  try {
    const line = await new Promise((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))))
    expect(line).toBe('after a silence\n')
  } finally {
    child.kill('SIGKILL')
  }
})
