import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ByteRange, Repository, Shelf } from '../shelf.ts'

/**
 * A shelf as restic's REST protocol, on this machine and for one run of it. So restic gets none of our keys, and writes by
 * the same rules as we do: nothing that is there is ever written over. Its files are where it would put them itself.
 */
export async function serveRepository(shelf: Shelf): Promise<Repository> {
  const token = randomBytes(16).toString('hex')
  const authorization = `Basic ${Buffer.from(`seaworthy:${token}`).toString('base64')}`
  let failure: Error | undefined
  let tell: ((error: Error) => void) | undefined
  const server = createServer((request, response) => {
    if (request.headers.authorization !== authorization) return void response.writeHead(401).end()
    answer(shelf, request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
      // Whoever went away before the end has not found anything wrong with the shelf.
      if (failure || !request.complete || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return
      failure = error
      tell?.(error)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    address: `rest:http://seaworthy:${token}@127.0.0.1:${(server.address() as AddressInfo).port}/`,
    onFailure: (listener) => {
      tell = listener
      if (failure) listener(failure)
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const types = 'data|keys|locks|snapshots|index'
const fileForm = new RegExp(`^/(${types})/([0-9a-f]{64})$`)
const folderForm = new RegExp(`^/(${types})/$`)
const LISTING = 'application/vnd.x.restic.rest.v2'

async function answer(shelf: Shelf, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://restic')
  if (request.method === 'POST' && pathname === '/' && searchParams.has('create')) return void response.end()
  const [, folder] = folderForm.exec(pathname) ?? []
  if (request.method === 'GET' && folder) return answerList(shelf, folder, response)
  const key = keyOf(pathname)
  if (!key) return void response.writeHead(404).end()
  if (request.method === 'HEAD') return answerSize(shelf, key, response)
  if (request.method === 'GET') return answerBytes(shelf, key, rangeOf(request.headers.range), response)
  if (request.method === 'POST') await shelf.put(key, request as AsyncIterable<Buffer>, { once: true })
  else if (request.method === 'DELETE') await shelf.delete(key)
  else return void response.writeHead(405).end()
  response.end()
}

function keyOf(path: string): string | undefined {
  if (path === '/config') return 'restic/config'
  const [, type = '', name = ''] = fileForm.exec(path) ?? []
  if (!name) return undefined
  return type === 'data' ? `restic/data/${name.slice(0, 2)}/${name}` : `restic/${type}/${name}`
}

async function answerList(shelf: Shelf, folder: string, response: ServerResponse): Promise<void> {
  const files: { name: string; size: number }[] = []
  for await (const { key, bytes } of shelf.list(`restic/${folder}/`))
    files.push({ name: key.slice(key.lastIndexOf('/') + 1), size: bytes })
  response.setHeader('content-type', LISTING).end(JSON.stringify(files))
}

async function answerSize(shelf: Shelf, key: string, response: ServerResponse): Promise<void> {
  const size = await shelf.size(key)
  if (size === undefined) return void response.writeHead(404).end()
  response.setHeader('content-length', size).end()
}

async function answerBytes(
  shelf: Shelf,
  key: string,
  range: ByteRange | undefined,
  response: ServerResponse,
): Promise<void> {
  const bytes = await shelf.get(key, range)
  if (!bytes) return void response.writeHead(404).end()
  response.statusCode = range ? 206 : 200
  await pipeline(Readable.from(bytes), response)
}

function rangeOf(header: string | undefined): ByteRange | undefined {
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? []
  return start === undefined ? undefined : { start: Number(start), end: end ? Number(end) : undefined }
}
