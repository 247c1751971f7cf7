import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The only reader of the environment: the process's own variables over those of a `.env` file in `directory`.
 * `NAME_FILE=/run/secrets/x` stands for `NAME` with the file's content, trailing line break removed.
 */
export function readEnvironment(
  directory: string,
  names: readonly string[],
): { env: Environment; unreadable: string[] } {
  const file = join(directory, '.env')
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  return readNamedFiles({ ...fromFile, ...process.env }, names)
}

/** Of the variables of some environment: `NAME_FILE` is followed where `NAME` is not set. */
export function readNamedFiles(
  given: Environment,
  names: readonly string[],
): { env: Environment; unreadable: string[] } {
  const merged: Record<string, string | undefined> = { ...given }
  const unreadable: string[] = []
  for (const name of names) {
    const path = merged[`${name}_FILE`]
    if (!path || merged[name]) continue
    try {
      merged[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    } catch {
      unreadable.push(`${name}_FILE`)
    }
  }
  return { env: merged, unreadable }
}

/**
 * The environment that a child process gets: ours, with a few variables changed. Left alone, glibc keeps
 * an arena of freed memory for each thread that ever touched a picture, and large pieces in them; with these two it
 * gives the memory of a picture back when the picture is gone.
 */
export function childEnvironment(changes: Record<string, string>): NodeJS.ProcessEnv {
  return { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576', ...process.env, ...changes }
}
