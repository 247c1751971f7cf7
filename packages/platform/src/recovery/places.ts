import { join } from 'node:path'
import { type Config, readOrMakeSecret } from '../config/index.ts'
import { openDirectoryShelf } from './drivers/directory.ts'
import type { Shelf } from './shelf.ts'

/** Where the parts of this room are below a data directory. */
export interface Places {
  readonly dataDirectory: string
  readonly recovery: string
  /** Segments that the server has archived and that are not in every store yet. */
  readonly spool: string
  readonly blobs: string
  /** A second name of each blob that is not in every store yet. */
  readonly freshBlobs: string
  readonly staging: string
  /** A database of the past that somebody looks at. */
  readonly looking: string
  readonly status: string
}

export function placesOf(dataDirectory: string): Places {
  const recovery = join(dataDirectory, 'recovery')
  const blobs = join(dataDirectory, 'blobs')
  return {
    dataDirectory,
    recovery,
    spool: join(recovery, 'spool'),
    blobs,
    freshBlobs: join(blobs, FRESH),
    staging: join(recovery, 'staging'),
    looking: join(recovery, 'looking'),
    status: join(recovery, 'status.json'),
  }
}

/** On the file system of the blobs themselves: a second name costs no bytes there. No account is called so. */
const FRESH = '.fresh'

export const shelvesOf = (config: Pick<Config, 'backupStores'>): readonly Shelf[] =>
  config.backupStores.map(openDirectoryShelf)

/** Who this installation is for its stores. A restored copy beside it is somebody else. */
export const identityOf = ({ recovery }: Places): string => readOrMakeSecret(recovery, 'identity')
