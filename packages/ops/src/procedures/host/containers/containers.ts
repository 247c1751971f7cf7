import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import type { Description } from '../../../description/index.ts'
import type { Layout } from '../layout.ts'
import { writeAtomically } from '../write-file.ts'
import { readCeiling } from './ceiling.ts'
import { type Engine, findEngine } from './engine.ts'
import { type Network, openNetwork } from './network.ts'
import { engineSettings, envFileOf, settingsInside } from './settings.ts'
import { giveTo, isEmpty, userOf } from './user.ts'
import type { ContainerWords } from './words.ts'

/** The containers of one installation. */
export interface Containers {
  readonly layout: Layout
  readonly about: Pick<Description, 'name' | 'sizes' | 'neighbours' | 'shutdownSeconds'>
  /** Throws when neither podman nor docker is here. */
  readonly engine: () => Promise<Engine>
  /** Where they are. Made when it is missing. */
  readonly network: () => Promise<Network>
  readonly nameOf: (release: string) => string
  /** A name for an image that is kept here, so that nobody who tidies up removes it. */
  readonly keptName: (release: string) => string
}

/** Nothing is looked for before it is needed: a host that has processes only needs no engine. */
export function openContainers({ layout, about }: Pick<Containers, 'layout' | 'about'>): Containers {
  // Two installations of one name may be on one host, and have the same image.
  const base = `${about.name}-${createHash('sha256').update(realpathSync(layout.root)).digest('hex').slice(0, 6)}`
  const engine = once(() => findEngine(engineSettings(layout).engine))
  return {
    layout,
    about,
    engine,
    network: once(async () => openNetwork(await engine(), engineSettings(layout).network, about.name)),
    nameOf: (release) => `${base}-${release}`,
    keptName: (release) => `localhost/${base}:${release}`,
  }
}

interface Wanted {
  readonly release: string
  readonly image: string
  readonly name: string
  /** Where its settings are written for the engine to read. Of nobody else's eyes. */
  readonly envFile: string
  readonly isOwner: boolean
}

/** All that an engine is told about a container. Its settings are in their file afterwards. */
export async function wordsFor(containers: Containers, wanted: Wanted): Promise<ContainerWords> {
  const { layout, about } = containers
  const { release, isOwner, ...rest } = wanted
  const engine = await containers.engine()
  const user = userOf(layout, engine)
  if (isEmpty(layout.data)) giveTo(user, layout.data)
  const { values, mounts } = settingsInside(layout, { release, isOwner })
  writeAtomically(wanted.envFile, envFileOf(values))
  return {
    ...rest,
    ...{ about, user, mounts, kind: engine.kind },
    network: await containers.network(),
    labels: { 'seaworthy.root': layout.root, 'seaworthy.release': release },
    ceiling: readCeiling(),
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
