import { join } from 'node:path'
import { type Config, readOrMakeSecret } from '../config/index.ts'
import { openDirectoryShelf } from './drivers/directory.ts'
import { openS3Shelf } from './drivers/s3.ts'
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
  /** Where points are restored on trial, unless DRILL_DIR says where. */
  readonly drill: string
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
    drill: join(recovery, 'drill'),
  }
}

/** On the file system of the blobs themselves: a second name costs no bytes there. No account is called so. */
const FRESH = '.fresh'

type StoreSettings = Pick<
  Config,
  'backupStores' | 'backupS3Endpoint' | 'backupS3Region' | 'backupS3AccessKeyId' | 'backupS3SecretAccessKey'
>

export const shelvesOf = (settings: StoreSettings): readonly Shelf[] =>
  settings.backupStores.map((name) => openShelf(name, settings))

/** `s3://bucket/prefix`, or the absolute path of a directory. Throws when settings are missing. */
export function openShelf(name: string, settings: Omit<StoreSettings, 'backupStores'>): Shelf {
  const place = parseBucket(name)
  if (!place) return openDirectoryShelf(name)
  const { backupS3Endpoint, backupS3Region, backupS3AccessKeyId, backupS3SecretAccessKey } = settings
  if (!backupS3Endpoint || !backupS3AccessKeyId || !backupS3SecretAccessKey)
    throw new Error(
      `${name} needs an address and a key.\n    HINT: export BACKUP_S3_ENDPOINT=https://s3.example.com BACKUP_S3_REGION=... BACKUP_S3_ACCESS_KEY_ID=... BACKUP_S3_SECRET_ACCESS_KEY=...`,
    )
  return openS3Shelf({
    ...place,
    endpoint: backupS3Endpoint,
    region: backupS3Region,
    accessKeyId: backupS3AccessKeyId,
    secretAccessKey: backupS3SecretAccessKey,
  })
}

/** Undefined for what is no bucket. */
export function parseBucket(name: string): { readonly bucket: string; readonly prefix: string } | undefined {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(name) ?? []
  return bucket ? { bucket, prefix } : undefined
}

/** Who this installation is for its stores. A restored copy beside it is somebody else. */
export const identityOf = ({ recovery }: Places): string => readOrMakeSecret(recovery, 'identity')
