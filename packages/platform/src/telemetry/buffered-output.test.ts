import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'

describe('log output', () => {
  let child: ChildProcess | undefined
  afterEach(() => void child?.kill('SIGKILL'))

  /** A process that writes what it is told, and its lines as they come. */
  function open(): { say(words: string): void; lines: AsyncIterator<string> } {
    const module = new URL('./buffered-output.ts', import.meta.url).href
    const program = `import { createInterface } from 'node:readline'
      const { createBufferedOutput } = await import('${module}')
      const output = createBufferedOutput()
      createInterface({ input: process.stdin }).on('line', output.write)`
    child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
    const { stdin, stdout } = child as ChildProcess & { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream }
    return {
      say: (words) => void stdin.write(`${words}\n`),
      lines: createInterface({ input: stdout })[Symbol.asyncIterator](),
    }
  }

  it('comes within a second, also after a while without any', { timeout: 20_000 }, async () => {
    const { say, lines } = open()
    for (const words of ['first', 'second', 'third']) {
      say(words)
      expect((await lines.next()).value).toBe(words)
      // Longer than the interval at which it looks for something to write.
      await new Promise((resolve) => setTimeout(resolve, 600))
    }
  })

  it('is complete when the process ends, however it was asked', async () => {
    const { say, lines } = open()
    say('last words')
    child?.stdin?.end()
    const [code] = await once(child as ChildProcess, 'exit')
    expect(code).toBe(0)
    expect((await lines.next()).value).toBe('last words')
  })
})
