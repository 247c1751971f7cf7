import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Secret } from '@seaworthy/core'

/** Asks for passphrases one after the other: unseen at a terminal, a line each from a pipe. */
export interface PassphraseReader {
  ask(question: string): Promise<Secret>
  close(): void
}

export function openPassphraseReader(): PassphraseReader {
  const { stdin, stderr } = process
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: stdin.isTTY })
  const iterator = lines[Symbol.asyncIterator]()
  return {
    ask: async (question) => {
      stderr.write(`${question}: `)
      const { value, done } = await iterator.next()
      stderr.write('\n')
      if (done)
        throw new Error(
          'No passphrase was given.\n    HINT: type it, or pipe it in, one line each time it is asked for',
        )
      return new Secret(value)
    },
    close: () => lines.close(),
  }
}
