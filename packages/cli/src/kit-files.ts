import { readFileSync } from 'node:fs'
import { isShare, type OpenedKit, openKit, openShares } from '@seaworthy/platform/vault'
import { openPassphraseReader } from './passphrase.ts'

export interface OpenedKitFiles extends OpenedKit {
  /** Numbers of shares that were not among the files; undefined for a kit in one piece. */
  readonly unread?: readonly number[]
}

/** A kit in one file, whose passphrase is asked for, or as many of its shares as open it. */
export async function openKitFiles(files: readonly string[]): Promise<OpenedKitFiles> {
  const texts = files.map((name) => ({ name, text: readFileSync(name, 'utf8') }))
  const [first, ...others] = texts
  if (!first) throw new Error('Which kit?')
  if (texts.some(({ text }) => isShare(text))) return openShares(texts)
  if (others.length) throw new Error('One kit is enough.\n    HINT: name one file, or several shares')
  const reader = openPassphraseReader()
  try {
    const kit = openKit(first.text, await reader.ask('Passphrase of the kit'))
    if (kit) return kit
    throw new Error(
      'The kit does not open: the passphrase is another one, or a letter of the code was changed.\n    HINT: compare the code with the print, letter by letter',
    )
  } finally {
    reader.close()
  }
}
