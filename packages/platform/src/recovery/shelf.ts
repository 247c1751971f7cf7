/** Where bytes are kept by key, outside this machine if it is well chosen. Knows nothing of what they mean. */
export interface Shelf {
  /** As people call it. */
  readonly name: string
  /** Appears whole and durable under its key, or not at all; takes the place of what was there. */
  put(key: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>
  /** Undefined when there is nothing under this key. */
  get(key: string): Promise<AsyncIterable<Buffer> | undefined>
  /** Undefined when there is nothing under this key. */
  size(key: string): Promise<number | undefined>
  /** Everything whose key begins with `prefix`, which ends with a slash or is empty. */
  list(prefix: string): AsyncIterable<ShelfEntry>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** Throws when it cannot be reached. */
  ping(): Promise<void>
  /** How restic calls the repository that stands beside these keys. */
  readonly repository: string
}

export interface ShelfEntry {
  readonly key: string
  readonly bytes: number
  /** When it was put. In milliseconds since 1970. */
  readonly at: number
}
