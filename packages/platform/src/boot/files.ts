import { join } from 'node:path'
import { systemClock } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import type { Database } from '../data/index.ts'
import {
  type BlobStore,
  createFileCheck,
  createMedia,
  type FileCheck,
  type MediaRoom,
  openClamd,
  openDiskStore,
  openS3Store,
} from '../media/index.ts'
import { placesOf } from '../recovery/index.ts'
import type { Health, Metrics } from '../telemetry/index.ts'

/** The private files of this installation. */
export async function openFiles(config: Config, database: Database, check?: FileCheck): Promise<MediaRoom> {
  return createMedia({
    database,
    store: await openStore(config),
    directory: join(config.dataDirectory, 'media'),
    secret: config.secrets.mediaSecret,
    urlMs: config.mediaUrlMs,
    quotaBytes: config.storageQuotaBytes,
    concurrency: config.mediaConcurrency,
    check,
    clock: systemClock,
  })
}

/** Where the installation has a virus scanner. Without an answer of it no upload is taken, and everything else goes on. */
export function openFileCheck(
  { clamdUrl, clamdTimeoutMs }: Config,
  { health, metrics }: { readonly health: Health; readonly metrics: Metrics },
): FileCheck | undefined {
  if (!clamdUrl) return undefined
  const scanner = openClamd(clamdUrl)
  health.add({ name: 'virus scanner', kind: 'nice', runbook: 'provider-down', check: (signal) => scanner.ping(signal) })
  const count = metrics.counter('media_scans_total', 'Uploads that the virus scanner was asked about.', ['verdict'])
  return createFileCheck({ scanner, timeoutMs: clamdTimeoutMs, count: (verdict) => count({ verdict }) })
}

function openStore(config: Config): Promise<BlobStore> {
  if (!config.s3Endpoint || !config.s3Bucket || !config.s3AccessKeyId || !config.s3SecretAccessKey) {
    const { blobs, freshBlobs } = placesOf(config.dataDirectory)
    return openDiskStore(blobs, config.backupStores.length && !config.databaseUrl ? freshBlobs : undefined)
  }
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
