import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Sha256 } from '@aws-crypto/sha256-js'
import type { SignatureV4 } from '@smithy/signature-v4'
import { type Allowed, isAllowed, type Policy } from './s3-policy.ts'

/** A bucket of an S3 server on this machine that lets in whom its policy names, and nobody without a right signature. */
export interface Bucket {
  /** For `BACKUP_S3_ENDPOINT`. */
  readonly endpoint: string
  readonly name: string
  /** Where its objects lie as they came. */
  readonly directory: string
  /** For a user of the policy, by name. */
  keyOf(user: string): { readonly id: string; readonly secret: string }
  setPolicy(policy: Policy): void
  /** Closed, it answers nobody but with 503. */
  setOpen(isOpen: boolean): void
  /** A request with this user's key. `key` is empty for the bucket itself. The text has a letter for each byte. */
  ask(user: string, method: string, key: string, more?: Asked): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

interface Asked {
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface Signing {
  readonly SignatureV4: typeof SignatureV4
  readonly Sha256: typeof Sha256
}

/** The claim must name `s3rver` among its needs. */
export async function openBucket(scratch: string, name: string): Promise<Bucket> {
  const directory = join(scratch, 's3')
  const inner = await openS3rver(directory, name)
  const handle = inner.callback()
  const signing = {
    ...((await import('@smithy/signature-v4')) as Pick<Signing, 'SignatureV4'>),
    ...((await import('@aws-crypto/sha256-js')) as Pick<Signing, 'Sha256'>),
  }
  let policy: Policy = { Statement: [] }
  let isOpen = true
  const putting = new Set<string>()
  const server = createServer(async (request, response) => {
    if (!isOpen) return refuse(response, 503, 'SlowDown')
    const asked = read(request, name)
    const refusal = findRefusal(policy, await whoSigned(request, signing), asked)
    if (refusal) return refuse(response, 403, refusal)
    const isOnce = request.headers['if-none-match'] === '*'
    if (isOnce && ((await inner.store.existsObject(name, asked.key)) || putting.has(asked.key)))
      return refuse(response, 412, 'PreconditionFailed')
    if (asked.action === 's3:ListBucket') return answerList(inner, name, request, response)
    if (request.method === 'PUT') putting.add(asked.key)
    response.once('close', () => putting.delete(asked.key))
    // It takes every signature, and stumbles over some.
    delete request.headers.authorization
    handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoint,
    name,
    directory: join(directory, name),
    keyOf,
    setPolicy: (given) => {
      policy = given
    },
    setOpen: (given) => {
      isOpen = given
    },
    ask: (user, method, key, more) => ask(signing, `${endpoint}/${name}/${key}`, { user, method, more }),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const keyOf = (user: string) => ({ id: `AKIA-${user}`, secret: `the-secret-of-${user}-long-enough-for-a-key` })

interface S3rver {
  callback(): (request: IncomingMessage, response: ServerResponse) => void
  configureBuckets(): Promise<void>
  readonly store: {
    existsObject(bucket: string, key: string): Promise<boolean>
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

function read(request: IncomingMessage, bucket: string): Allowed & { readonly key: string } {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const key = decodeURIComponent(pathname).slice(bucket.length + 2)
  const { method = '', headers } = request
  const isListing = method === 'GET' && !key && searchParams.has('list-type')
  const actions: Readonly<Record<string, string>> = {
    GET: 's3:GetObject',
    HEAD: 's3:GetObject',
    PUT: 's3:PutObject',
    DELETE: 's3:DeleteObject',
  }
  const isPlain = key !== '' && searchParams.size <= 1 && !headers['x-amz-copy-source']
  const action = isListing ? 's3:ListBucket' : isPlain ? (actions[method] ?? '') : ''
  const resource = `arn:aws:s3:::${bucket}${key ? `/${key}` : ''}`
  return { key, action, resource, isThere: { 's3:if-none-match': headers['if-none-match'] !== undefined } }
}

/** For the name of a next page it needs a cipher that no OpenSSL of today has. */
async function answerList(inner: S3rver, bucket: string, request: IncomingMessage, response: ServerResponse) {
  const { searchParams: asked } = new URL(request.url ?? '/', 'http://x')
  const { objects, isTruncated } = await inner.store.listObjects(bucket, {
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

function findRefusal(policy: Policy, user: string | undefined, asked: Allowed): string | undefined {
  if (!user) return 'SignatureDoesNotMatch'
  return isAllowed(policy, user, asked) ? undefined : 'AccessDenied'
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`)
}

const authorizationForm =
  /Credential=AKIA-([^/]+)\/\d+\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)/

/** As AWS's own signer would have signed it. */
async function whoSigned(request: IncomingMessage, signing: Signing): Promise<string | undefined> {
  const [, user = '', region = '', names = '', signature] =
    authorizationForm.exec(request.headers.authorization ?? '') ?? []
  if (!signature) return undefined
  const url = new URL(request.url ?? '/', 'http://x')
  const headers = Object.fromEntries(names.split(';').map((name) => [name, String(request.headers[name] ?? '')]))
  const date = String(request.headers['x-amz-date'])
  const signingDate = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const signed = await signerOf(signing, user, region).sign(
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
  return signed.headers.authorization?.endsWith(signature) ? user : undefined
}

function signerOf({ SignatureV4, Sha256 }: Signing, user: string, region: string): SignatureV4 {
  const { id: accessKeyId, secret: secretAccessKey } = keyOf(user)
  return new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
}

async function ask(
  signing: Signing,
  address: string,
  { user, method, more = {} }: { readonly user: string; readonly method: string; readonly more?: Asked | undefined },
): Promise<{ status: number; text: string }> {
  const { query = {}, headers = {}, body } = more
  const url = new URL(address)
  const signed = await signerOf(signing, user, 'auto').sign({
    method,
    protocol: 'http:',
    hostname: url.hostname,
    path: url.pathname,
    query: { ...query },
    headers: { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
  })
  const { host: _, ...sent } = signed.headers
  const response = await fetch(`${url}?${new URLSearchParams(query)}`, { method, headers: sent, body: body ?? null })
  return { status: response.status, text: Buffer.from(await response.arrayBuffer()).toString('latin1') }
}
