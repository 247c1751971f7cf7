import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { childEnvironment } from '@seaworthy/platform/config'
import type { Layout } from './layout.ts'
import { readIfThere } from './write-file.ts'

export interface EnvironmentFor {
  /** What its start needs besides: its socket, its own port for metrics. */
  readonly release?: string
  /** With the owner's address of the database, where it is kept apart. */
  readonly isOwner?: boolean
  /** With what only containers get. */
  readonly inContainer?: boolean
}

export const runFile = ({ run }: Layout, release: string): string => join(run, `${release}.env`)

/** What a release is started with: nothing of whoever types the command, only what this host keeps for it. */
export function environmentOf(
  layout: Layout,
  { release, isOwner, inContainer }: EnvironmentFor = {},
): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = childEnvironment({})
  return {
    PATH,
    HOME,
    LANG,
    NODE_ENV: 'production',
    DATA_DIR: layout.data,
    ...secretFiles(layout),
    ...readSettings(layout.environment),
    ...(inContainer ? readSettings(layout.containerEnvironment) : {}),
    ...(isOwner ? readSettings(layout.ownerEnvironment) : {}),
    ...(release ? readSettings(runFile(layout, release)) : {}),
  }
}

/** Settings of a file as people write them. */
export const readSettings = (path: string): NodeJS.Dict<string> => parseEnv(readIfThere(path) ?? '')

/** A file `shared/secrets/ENCRYPTION_KEY` is the setting of that name. */
const secretFiles = ({ secrets }: Layout): NodeJS.Dict<string> =>
  existsSync(secrets)
    ? Object.fromEntries(
        readdirSync(secrets)
          .filter((name) => /^[A-Z][A-Z0-9_]*$/.test(name))
          .map((name) => [`${name}_FILE`, join(secrets, name)]),
      )
    : {}
