/** Where bytes are kept by key, outside this machine if it is well chosen. Knows nothing of what they mean. */
export interface Shelf {
  /** As people call it. */
  readonly name: string
  /**
   * Appears whole and durable under its key, or not at all. Takes the place of what was there; with `once`, where the
   * place can see to that, it throws `TakenError` when something else is there. Throws `RefusedError`.
   */
  put(key: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>, options?: { readonly once: boolean }): Promise<void>
  /** Undefined when there is nothing under this key. */
  get(key: string, range?: ByteRange): Promise<AsyncIterable<Buffer> | undefined>
  /** Undefined when there is nothing under this key. */
  size(key: string): Promise<number | undefined>
  /** Everything whose key begins with `prefix`, which ends with a slash or is empty. */
  list(prefix: string): AsyncIterable<ShelfEntry>
  /** Deleting what is not there is no error. Throws `RefusedError`. */
  delete(key: string): Promise<void>
  /** Throws when it cannot be reached. */
  ping(): Promise<void>
  /** The repository of restic that stands beside these keys, for one run of it. */
  openRepository(): Promise<Repository>
}

/** The bytes from `start` to `end`, both included; without `end`, to the last. */
export interface ByteRange {
  readonly start: number
  readonly end?: number | undefined
}

export interface ShelfEntry {
  readonly key: string
  readonly bytes: number
  /** When it was put. In milliseconds since 1970. */
  readonly at: number
}

export interface Repository {
  /** As restic is told it. May hold a secret. */
  readonly address: string
  /** Called once, with the first thing that the shelf did not do for restic: it would try for a quarter of an hour. */
  onFailure(tell: (error: Error) => void): void
  close(): void
}

/** Whoever we are at this shelf may not do that. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** There is something else under this key already, and it stays. */
export class TakenError extends Error {
  override readonly name = 'TakenError'
}
