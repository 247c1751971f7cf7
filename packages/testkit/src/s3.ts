import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

export interface S3Key {
  readonly id: string
  readonly secret: string
  /** What it may do; left out: everything. */
  readonly may?: (request: S3Request) => boolean
}

interface S3Request {
  readonly method: string
  /** Without the bucket. Empty for the bucket itself. */
  readonly key: string
  /** It asks to be refused where something is there already. */
  readonly once: boolean
}

export interface FakeS3 {
  readonly endpoint: string
  /** The next so many requests get 503, as when a service is busy. */
  beBusy(times: number): void
  close(): Promise<void>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * An S3 server that stores, behind a judge that computes every signature again with AWS's own signer: s3rver accepts any,
 * lets everybody do everything, and knows no `If-None-Match`.
 */
export async function openFakeS3(bucket: string, keys: readonly S3Key[]): Promise<FakeS3> {
  const directory = mkdtempSync(join(tmpdir(), 'seaworthy-s3-'))
  const inner = await openS3rver(directory, bucket)
  const handle = inner.callback()
  const putting = new Set<string>()
  let busy = 0
  const isThere = (key: string): boolean =>
    putting.has(key) || existsSync(join(directory, bucket, `${key}._S3rver_object`))
  const server = createServer(async (request, response) => {
    const key = await judge(request, keys)
    const asked = read(request, bucket)
    const refusal = busy-- > 0 ? busyNow : findRefusal(key, asked, isThere)
    if (refusal) return refuse(response, ...refusal)
    if (request.method === 'GET' && !asked.key) return answerList(inner, bucket, request, response)
    if (request.method === 'PUT') putting.add(asked.key)
    response.once('close', () => putting.delete(asked.key))
    // It takes every signature, and stumbles over some.
    delete request.headers.authorization
    handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    beBusy: (times) => {
      busy = times
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface S3rver {
  callback(): Handler
  configureBuckets(): Promise<void>
  readonly store: {
    listObjects(bucket: string, options: { prefix: string; startAfter: string; maxKeys: number }): Promise<Listed>
  }
}

interface Listed {
  readonly objects: readonly { readonly key: string; readonly size: number; readonly lastModifiedDate: Date }[]
  readonly isTruncated: boolean
}

async function openS3rver(directory: string, bucket: string): Promise<S3rver> {
  const Server = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver
  const inner = new Server({ silent: true, directory, configureBuckets: [{ name: bucket }] })
  await inner.configureBuckets()
  return inner
}

/** For the name of a next page it needs a cipher that no OpenSSL of today has. */
async function answerList(
  { store }: S3rver,
  bucket: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: asked } = new URL(request.url ?? '/', 'http://x')
  if (pathname.split('/')[1] !== bucket) return refuse(response, 404, 'NoSuchBucket')
  const { objects, isTruncated } = await store.listObjects(bucket, {
    prefix: asked.get('prefix') ?? '',
    startAfter: Buffer.from(asked.get('continuation-token') ?? '', 'base64').toString(),
    maxKeys: Math.min(1_000, Number(asked.get('max-keys') ?? 1_000)),
  })
  const contents = objects.map(
    ({ key, size, lastModifiedDate }) =>
      `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>${lastModifiedDate.toISOString()}</LastModified></Contents>`,
  )
  const next = Buffer.from(objects.at(-1)?.key ?? '').toString('base64')
  const more = isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''
  response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`)
}

type Refusal = readonly [status: number, code: string]
const busyNow: Refusal = [503, 'SlowDown']

function findRefusal(key: S3Key | undefined, asked: S3Request, isThere: (key: string) => boolean): Refusal | undefined {
  if (!key) return [403, 'SignatureDoesNotMatch']
  if (key.may?.(asked) === false) return [403, 'AccessDenied']
  return asked.once && isThere(asked.key) ? [412, 'PreconditionFailed'] : undefined
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
}

function read(request: IncomingMessage, bucket: string): S3Request {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)
  const key = path.slice(bucket.length + 2)
  return { method: request.method ?? '', key, once: request.headers['if-none-match'] === '*' }
}

const authorizationForm =
  /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)/

async function judge(request: IncomingMessage, keys: readonly S3Key[]): Promise<S3Key | undefined> {
  const match = authorizationForm.exec(request.headers.authorization ?? '')
  const [, id, , region = '', names = '', signature] = match ?? []
  const key = keys.find((one) => one.id === id)
  if (!key) return undefined
  const url = new URL(request.url ?? '/', 'http://x')
  const headers = Object.fromEntries(names.split(';').map((name) => [name, String(request.headers[name] ?? '')]))
  const date = String(request.headers['x-amz-date'])
  const signingDate = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const credentials = { accessKeyId: key.id, secretAccessKey: key.secret }
  const signer = new SignatureV4({
    credentials,
    region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const signed = await signer.sign(
    {
      method: request.method ?? 'GET',
      protocol: 'http:',
      hostname: 'x',
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      headers,
    },
    { signingDate, signableHeaders: new Set(names.split(';')) },
  )
  return signed.headers.authorization?.endsWith(signature ?? 'none') ? key : undefined
}
