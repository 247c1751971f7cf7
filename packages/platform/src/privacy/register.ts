import { existsSync } from 'node:fs'
import { appendFile, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AccountId, UserId } from '@seaworthy/core'

/** Somebody who wanted to be forgotten: ids that mean nothing once the rows are gone, and nothing else. */
export interface Erasure {
  readonly userId: UserId
  readonly accountIds: readonly AccountId[]
  readonly at: string
  readonly state: 'asked' | 'done'
}

/**
 * Who was erased, in a file beside the database: a database that is put back from last week does not know, and this
 * does. It is read before the system opens. Keep it when you put older data back.
 */
export interface ErasureRegister {
  /** Durable when it resolves. */
  add(erasure: Erasure): Promise<void>
  /** One entry for each person. */
  read(): Promise<readonly Erasure[]>
}

const pathOf = (dataDirectory: string): string => join(dataDirectory, 'privacy', 'erasures.jsonl')

/** Whether anybody was ever erased here. */
export const hasErasures = (dataDirectory: string): boolean => existsSync(pathOf(dataDirectory))

export function openErasureRegister(dataDirectory: string): ErasureRegister {
  const path = pathOf(dataDirectory)
  return {
    add: async (erasure) => {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const file = await open(path, 'a', 0o600)
      try {
        await appendFile(file, `${JSON.stringify(erasure)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
    },
    read: async () => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return ''
        throw error
      })
      return parseErasures(text)
    },
  }
}

/** The text of a register, also of one that is kept elsewhere: one entry for each person. */
export function parseErasures(text: string): readonly Erasure[] {
  const people = new Map<UserId, Erasure>()
  for (const line of text.split('\n')) {
    const erasure = parse(line)
    if (erasure) people.set(erasure.userId, merge(people.get(erasure.userId), erasure))
  }
  return [...people.values()]
}

const merge = (before: Erasure | undefined, now: Erasure): Erasure => ({
  ...now,
  accountIds: [...new Set([...(before?.accountIds ?? []), ...now.accountIds])],
})

/** A line that broke off when the machine died was never confirmed to anybody. */
function parse(line: string): Erasure | undefined {
  try {
    return line ? (JSON.parse(line) as Erasure) : undefined
  } catch {
    return undefined
  }
}
