import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Person } from './person.ts'
import type { Stack } from './stack.ts'

/** The files of an account, originals and results, as they lie on the disk. */
export function blobsOf(stack: Stack, person: Person): readonly string[] {
  const directory = join(stack.dataDirectory, 'blobs', person.accountId)
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
