import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { Secret } from '@seaworthy/core'
import { S3mini } from 's3mini'
import type { BlobStore } from '../store.ts'

export interface S3Settings {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
}

const ABORT_MS = 30_000
const LIST_MAX = 500

/** Blobs as objects of an S3-compatible service. An object appears whole or not at all, as S3 promises. */
export function openS3Store(settings: S3Settings): BlobStore {
  const s3 = openBucket(settings, ABORT_MS)
  return {
    putFile: async (key, file, bytes) => {
      const body = await new Response(Readable.toWeb(createReadStream(file)) as ReadableStream).arrayBuffer()
      await s3.putObject(key, new Uint8Array(body), 'application/octet-stream', undefined, undefined, bytes)
    },
    putBytes: async (key, bytes) => {
      await s3.putObject(
        key,
        bytes as Uint8Array<ArrayBuffer>,
        'application/octet-stream',
        undefined,
        undefined,
        bytes.byteLength,
      )
    },
    read: async (key, range) => {
      if ((await size(s3, key)) === undefined) return undefined
      const response = range
        ? await s3.getObjectRaw(key, false, range.start, range.end + 1)
        : await s3.getObjectResponse(key)
      return response?.body ? Readable.fromWeb(response.body as never) : undefined
    },
    size: (key) => size(s3, key),
    delete: async (key) => {
      await s3.deleteObject(key)
    },
    deleteAccount: (accountId) => deleteBelow(s3, `${accountId}/`),
    ping: async () => {
      if (!(await s3.bucketExists())) throw new Error('the bucket does not exist')
    },
  }
}

/** A bucket as the client library knows it, for other rooms that keep something in one. */
export const openBucket = (settings: S3Settings, abortMs: number): S3mini =>
  new S3mini({
    endpoint: `${settings.endpoint.replace(/\/$/, '')}/${settings.bucket}`,
    region: settings.region,
    accessKeyId: settings.accessKeyId,
    secretAccessKey: settings.secretAccessKey.reveal(),
    requestAbortTimeout: abortMs,
  })

/** A page of names at a time, until there are none. */
async function deleteBelow(s3: S3mini, prefix: string): Promise<void> {
  for (;;) {
    const found = (await s3.listObjects('/', prefix, LIST_MAX)) ?? []
    for (const { Key } of found) await s3.deleteObject(Key)
    if (found.length < LIST_MAX) return
  }
}

async function size(s3: S3mini, key: string): Promise<number | undefined> {
  return (await s3.objectExists(key)) === true ? s3.getContentLength(key) : undefined
}
