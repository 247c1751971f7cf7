import type { Readable } from 'node:stream'

/** Bytes by key, written once and never changed. Keys are `<account>/<sha256>`, made by this room only. */
export interface BlobStore {
  /** Appears under its key whole or not at all. Putting what is there already is no error. `file` may be moved away. */
  putFile(key: string, file: string, bytes: number): Promise<void>
  putBytes(key: string, bytes: Uint8Array): Promise<void>
  /** The bytes from `start` to `end`, both included. Undefined when there is no such blob. */
  read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable | undefined>
  /** Undefined when there is no such blob. */
  size(key: string): Promise<number | undefined>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** Everything of an account. */
  deleteAccount(accountId: string): Promise<void>
  /** Throws when the store cannot be reached or written to. */
  ping(): Promise<void>
}
