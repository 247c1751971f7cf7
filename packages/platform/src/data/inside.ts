import { AsyncLocalStorage } from 'node:async_hooks'
import { assert } from '@seaworthy/core'

const inside = new AsyncLocalStorage<true>()

/** Marks everything that `work` does, at any depth, as done within a transaction. */
export const asTransaction = <T>(work: () => Promise<T>): Promise<T> => inside.run(true, work)

/**
 * Throws when a transaction is open here. What is outside the database cannot be rolled back, and a connection must not
 * wait for it: do it before, or in `tx.afterCommit`, or in a job.
 * @param what As in "a file is stored".
 */
export function refuseInTransaction(what: string): void {
  assert(!inside.getStore(), `${what} within a transaction, where it can neither be undone nor be waited for`)
}

/** For the rare effect that belongs inside, because the transaction's locks protect it. */
export const onPurpose = <T>(effect: () => Promise<T>): Promise<T> => inside.exit(effect)

/** From now on `fetch` refuses within a transaction. For the start of a process. */
export function guardFetch(): void {
  const original = globalThis.fetch
  globalThis.fetch = async (...request) => {
    refuseInTransaction('another service is asked')
    return original(...request)
  }
}
