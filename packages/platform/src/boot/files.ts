import { join } from 'node:path'
import { systemClock } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import type { Database } from '../data/index.ts'
import { type BlobStore, createMedia, type MediaRoom, openDiskStore, openS3Store } from '../media/index.ts'

/** The private files of this installation. */
export async function openFiles(config: Config, database: Database): Promise<MediaRoom> {
  return createMedia({
    database,
    store: await openStore(config),
    directory: join(config.dataDirectory, 'media'),
    secret: config.secrets.mediaSecret,
    urlMs: config.mediaUrlMs,
    quotaBytes: config.storageQuotaBytes,
    concurrency: config.mediaConcurrency,
    clock: systemClock,
  })
}

function openStore(config: Config): Promise<BlobStore> {
  if (!config.s3Endpoint || !config.s3Bucket || !config.s3AccessKeyId || !config.s3SecretAccessKey)
    return openDiskStore(join(config.dataDirectory, 'blobs'))
  return Promise.resolve(
    openS3Store({
      endpoint: config.s3Endpoint,
      bucket: config.s3Bucket,
      region: config.s3Region,
      accessKeyId: config.s3AccessKeyId,
      secretAccessKey: config.s3SecretAccessKey,
    }),
  )
}
