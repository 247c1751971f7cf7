import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { container } from '../../../description/index.ts'
import { type EnvironmentFor, environmentOf, readSettings } from '../environment.ts'
import { type Layout, ownRun } from '../layout.ts'

export interface Mount {
  readonly from: string
  readonly to: string
  readonly mayWrite: boolean
}

/** What a container is given: settings by a file that its engine reads, files by their place. */
export interface ContainerSettings {
  readonly values: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
}

const SECRETS = '/run/secrets'
/** Of the program that types the command, or for the engine. */
const notInside = (name: string): boolean => ['PATH', 'HOME', 'LANG'].includes(name) || name.startsWith('CONTAINER_')
const namesFile = (name: string, value: string): boolean =>
  (name.endsWith('_FILE') || name === 'NODE_EXTRA_CA_CERTS') && value.startsWith('/')

/** The engine and the network that `shared/containers.env` names. */
export function engineSettings(layout: Layout): {
  readonly engine: string | undefined
  readonly network: string | undefined
} {
  const { CONTAINER_ENGINE, CONTAINER_NETWORK } = readSettings(layout.containerEnvironment)
  return { engine: CONTAINER_ENGINE || undefined, network: CONTAINER_NETWORK || undefined }
}

/** The settings of this host as they are inside: data and secrets where the image has them, other files where they are here. */
export function settingsInside(
  layout: Layout,
  { release, isOwner }: EnvironmentFor & { readonly release: string },
): ContainerSettings {
  const own = ownRun(layout, release)
  // A command of a release that was not started has no sockets to see.
  const isStarted = existsSync(own)
  const given = environmentOf(layout, {
    isOwner: isOwner === true,
    inContainer: true,
    ...(isStarted ? { release } : {}),
  })
  const values: Record<string, string> = {}
  const mounts: Mount[] = [
    { from: given.DATA_DIR ?? layout.data, to: container.dataDirectory, mayWrite: true },
    ...(isStarted ? [{ from: own, to: own, mayWrite: true }] : []),
  ]
  for (const [name, value = ''] of Object.entries(given)) {
    if (notInside(name) || value === '') continue
    values[name] = placeInside(layout, name, value)
    if (namesFile(name, value)) mounts.push({ from: value, to: values[name], mayWrite: false })
  }
  return { values, mounts }
}

function placeInside({ secrets }: Layout, name: string, value: string): string {
  if (name === 'DATA_DIR') return container.dataDirectory
  return namesFile(name, value) && value.startsWith(`${secrets}/`) ? `${SECRETS}/${basename(value)}` : value
}

/** As engines read it: a line for each setting, without quotes. Throws for a value that has more lines. */
export function envFileOf(values: ContainerSettings['values']): string {
  for (const [name, value] of Object.entries(values))
    if (/[\r\n]/.test(value))
      throw new Error(
        `${name} has more than one line.\n    HINT: put it into a file of its own, shared/secrets/${name}`,
      )
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
