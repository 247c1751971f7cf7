import type { Logger } from '../telemetry/index.ts'

/** Closes what was opened, newest first; one failure does not keep the rest open. */
export interface Closer {
  add(name: string, close: () => Promise<void> | void): void
  close(): Promise<void>
}

export function createCloser(log: Logger): Closer {
  const opened: { name: string; close: () => Promise<void> | void }[] = []
  let closing: Promise<void> | undefined
  return {
    add: (name, close) => void opened.push({ name, close }),
    close: () => {
      closing ??= closeAll()
      return closing
    },
  }
  async function closeAll(): Promise<void> {
    for (const { name, close } of opened.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        log.warn('something did not close cleanly', { what: name, error })
      }
    }
  }
}
