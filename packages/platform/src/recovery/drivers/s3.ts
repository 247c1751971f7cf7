import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { MINUTE, pause } from '@seaworthy/core'
import { openBucket, type S3Settings } from '../../media/index.ts'
import { type ByteRange, RefusedError, type Shelf, type ShelfEntry, TakenError } from '../shelf.ts'
import { serveRepository } from './repository.ts'

export interface S3ShelfSettings extends S3Settings {
  /** What all keys begin with; empty, or without a slash at its ends. */
  readonly prefix: string
}

const ABORT_MS = 2 * MINUTE
const LIST_MAX = 1_000
const AGAIN_MS = [300, 1_500]

type Bucket = ReturnType<typeof openBucket>

/** A bucket, or a part of one. An object appears whole or not at all, as S3 promises; each is held in memory while it is put. */
export function openS3Shelf(settings: S3ShelfSettings): Shelf {
  const { bucket, prefix } = settings
  const name = `s3://${bucket}${prefix ? `/${prefix}` : ''}`
  const s3 = openBucket(settings, ABORT_MS)
  const inside = prefix ? `${prefix}/` : ''
  const ask = <T>(what: string, work: () => Promise<T>): Promise<T> => asking(name, what, work)
  const get = async (key: string, range?: ByteRange): Promise<AsyncIterable<Buffer> | undefined> => {
    const response = await ask(`give out ${key}`, () => getOrNothing(s3, inside + key, range))
    return response?.body ? (Readable.fromWeb(response.body as never) as AsyncIterable<Buffer>) : undefined
  }
  const shelf: Shelf = {
    name,
    put: async (key, bytes, { once } = { once: false }) => {
      const body = await buffer(Readable.from(bytes))
      const put = (): Promise<unknown> => putObject(s3, inside + key, body, once)
      await ask(`take ${key}`, put).catch(async (error: Error) => {
        if (!(error instanceof TakenError)) throw error
        // Ours, where the answer of an attempt before was lost.
        const there = await get(key)
        if (!there || !(await buffer(there)).equals(body)) throw error
      })
    },
    get,
    size: (key) =>
      ask(`tell of ${key}`, async () =>
        (await s3.objectExists(inside + key)) === true ? s3.getContentLength(inside + key) : undefined,
      ),
    list: (below) => list(s3, inside, below, ask),
    delete: (key) => ask(`delete ${key}`, () => s3.deleteObject(inside + key)).then(() => undefined),
    ping: async () => {
      const page = await ask('list its keys', () => s3.listObjectsPaged('/', inside, 1))
      if (!page) throw new Error(`The bucket ${bucket} is not there.\n    HINT: make it, or correct BACKUP_STORES`)
    },
    openRepository: () => serveRepository(shelf),
  }
  return shelf
}

/**
 * The sum is what a bucket with a lock on its objects asks for. With `once` the service itself refuses to put something in
 * the place of something, and a policy may ask for it.
 */
async function putObject(s3: Bucket, key: string, body: Buffer, once: boolean): Promise<void> {
  const headers = {
    'content-md5': createHash('md5').update(body).digest('base64'),
    ...(once ? { 'if-none-match': '*' } : {}),
  }
  const bytes = body as Uint8Array<ArrayBuffer>
  await s3.putObject(key, bytes, 'application/octet-stream', undefined, headers, body.length)
}

async function getOrNothing(s3: Bucket, key: string, range: ByteRange | undefined): Promise<Response | undefined> {
  if (!range) return (await s3.getObjectResponse(key)) ?? undefined
  const end = range.end === undefined ? undefined : range.end + 1
  return s3.getObjectRaw(key, false, range.start, end).catch((error: S3Failure) => {
    if (error.status === 404) return undefined
    throw error
  })
}

async function* list(
  s3: Bucket,
  inside: string,
  below: string,
  ask: <T>(what: string, work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<ShelfEntry> {
  let next: string | undefined
  do {
    const page = await ask('list its keys', () => s3.listObjectsPaged('/', inside + below, LIST_MAX, next))
    for (const { Key, Size, LastModified } of page?.objects ?? [])
      yield { key: Key.slice(inside.length), bytes: Size, at: LastModified.getTime() }
    next = page?.nextContinuationToken
  } while (next)
}

type S3Failure = Error & { readonly status?: number; readonly body?: string; readonly cause?: { status?: number } }

/** What may pass is tried again; everything else is told in words that name the store. */
async function asking<T>(store: string, what: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++)
    try {
      return await work()
    } catch (error) {
      const failure = error as S3Failure
      const status = failure.status ?? failure.cause?.status
      const wait = AGAIN_MS[attempt]
      const mayPass = status === undefined || status === 409 || status === 429 || status >= 500
      if (!mayPass || wait === undefined) throw explain(store, what, failure, status)
      await pause(wait)
    }
}

function explain(store: string, what: string, failure: S3Failure, status: number | undefined): Error {
  const cause = { cause: failure }
  const code = /<Code>(\w+)<\/Code>/.exec(failure.body ?? '')?.[1]
  if (status === 412) return new TakenError(`${store} does not ${what}: something else is there already.`, cause)
  if (status === 403 && code !== 'SignatureDoesNotMatch' && code !== 'InvalidAccessKeyId')
    return new RefusedError(`${store} does not ${what} with this key.`, cause)
  if (status === 403)
    return new Error(
      `${store} does not know this key: ${code}.\n    HINT: correct BACKUP_S3_ACCESS_KEY_ID, BACKUP_S3_SECRET_ACCESS_KEY and BACKUP_S3_REGION`,
      cause,
    )
  return new Error(
    `${store} did not ${what}: ${code ?? failure.message}.\n    HINT: look at BACKUP_S3_ENDPOINT, the bucket, and the network between`,
    cause,
  )
}
