import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Build, Place, System } from '@seaworthy/platform/boot'

const here = dirname(fileURLToPath(import.meta.url))

/** Where this checkout is, and what it is built from. */
export function findPlace(): Place {
  const directory = join(here, '..', '..', '..')
  const stamp = join(directory, 'dist', 'build.json')
  const build: Build = existsSync(stamp)
    ? (JSON.parse(readFileSync(stamp, 'utf8')) as Build)
    : { version: 'development', commit: 'working tree', sources: '' }
  return { directory, webDirectory: join(directory, 'web', 'dist'), build }
}

/** The apps of `seaworthy.config.ts`. */
export async function loadSystem(place: Place): Promise<System> {
  const file = join(place.directory, 'dist', 'seaworthy.config.js')
  const module = (await import(pathToFileURL(file).href)) as { system: System }
  return module.system
}
