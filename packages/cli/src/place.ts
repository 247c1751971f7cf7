import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Build, Place, System } from '@seaworthy/platform/boot'

const here = dirname(fileURLToPath(import.meta.url))

/** True when the sources run as they are (development), false when what was built runs. */
export const isSourceRun = here.endsWith('src')

/** Where this checkout is, and what it is built from. */
export function findPlace(): Place {
  const directory = join(here, '..', '..', '..')
  const stamp = join(directory, 'dist', 'build.json')
  const build: Build =
    existsSync(stamp) && !isSourceRun
      ? (JSON.parse(readFileSync(stamp, 'utf8')) as Build)
      : { version: 'development', commit: 'working tree', sources: '' }
  return { directory, webDirectory: join(directory, 'web', 'dist'), build }
}

/** The apps of `seaworthy.config.ts`. */
export async function loadSystem(place: Place): Promise<System> {
  const file = isSourceRun
    ? join(place.directory, 'seaworthy.config.ts')
    : join(place.directory, 'dist', 'seaworthy.config.js')
  const module = (await import(pathToFileURL(file).href)) as { system: System }
  return module.system
}
