import { join } from 'node:path'

/** Where everything of one installation on one host is. */
export interface Layout {
  readonly root: string
  readonly releases: string
  /** Survives releases: the data directory, the environment, secrets. */
  readonly shared: string
  readonly environment: string
  /** Only for `seaworthy migrate`: the owner's address of the database, where the others have none. */
  readonly ownerEnvironment: string
  /** Only for containers: which engine and network, and settings that only they get. */
  readonly containerEnvironment: string
  readonly secrets: string
  readonly data: string
  readonly run: string
  readonly state: string
  readonly lock: string
}

/** So many parts the traffic can be divided into: one slot is ten percent. */
export const SLOTS = 10

/** The kernel takes no longer address of a socket. */
export const SOCKET_BYTES_MAX = 107

export function layoutOf(root: string): Layout {
  const shared = join(root, 'shared')
  return {
    root,
    releases: join(root, 'releases'),
    shared,
    environment: join(shared, 'env'),
    ownerEnvironment: join(shared, 'migrate.env'),
    containerEnvironment: join(shared, 'containers.env'),
    secrets: join(shared, 'secrets'),
    data: join(shared, 'data'),
    run: join(root, 'run'),
    state: join(root, 'state.json'),
    lock: join(root, 'lock'),
  }
}

export const slotPath = ({ run }: Layout, slot: number): string => join(run, `slot-${slot}.sock`)
export const socketName = (release: string): string => `${release}.sock`
export const socketPath = ({ run }: Layout, release: string): string => join(run, socketName(release))
/** What a container sees of `run`: where it answers, and nothing of other releases. */
export const ownRun = ({ run }: Layout, release: string): string => join(run, `${release}.d`)
export const releasePath = ({ releases }: Layout, release: string): string => join(releases, release)
/** The program of a release or a built checkout. Not its launcher, which would look whether sources have changed. */
export const entryIn = (directory: string): string => join(directory, 'packages', 'cli', 'dist', 'main.js')
export const entryPath = (layout: Layout, release: string): string => entryIn(releasePath(layout, release))
