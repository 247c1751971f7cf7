import { ApiError, dataOf, POSITION_HEADER, type Problem } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'

export const ACCEPT = 'image/jpeg,image/png,image/webp,image/avif,image/gif,image/tiff'
const MiB = 1024 * 1024
const BYTES_MAX = 30 * MiB
/** Smaller files are sent again rather than asked about. */
const PARTS_FROM_BYTES = MiB
const TRIES_MAX = 8
const RETRY_BASE_MS = 500
const RETRY_MAX_MS = 8_000

const tooLarge: Problem = {
  title: 'This file is too large.',
  status: 413,
  code: 'payload_too_large',
  detail: 'A photo may have at most 30 MB.',
}
const offline: Problem = {
  title: 'No connection.',
  status: 0,
  code: 'offline',
  detail: 'The upload did not arrive. Try again when you are back online.',
}

interface Upload {
  readonly service: Service
  readonly file: Blob
  readonly name: string
  readonly onProgress: (share: number) => void
}

/**
 * Sends a photo and tells how far it is. A large one goes on where it was when the connection breaks. Resolves with the
 * photo's id; throws `ApiError`.
 */
export async function uploadPhoto(
  service: Service,
  file: Blob,
  name: string,
  onProgress: (share: number) => void,
): Promise<string> {
  if (file.size > BYTES_MAX) throw new ApiError(tooLarge)
  const upload = { service, file, name, onProgress }
  const address = `/api/cosnap/photos?name=${encodeURIComponent(name.slice(0, 200))}`
  if (file.size < PARTS_FROM_BYTES) return (await send<{ id: string }>(upload, 'POST', address, 0)).id
  const { id } = await dataOf(service.http.POST('/api/uploads', { body: { bytes: file.size } }))
  await sendParts(upload, id)
  const made = await send<{ id: string }>({ ...upload, file: new Blob() }, 'POST', address, 0, { 'upload-id': id })
  return made.id
}

/** Until all of it is there. After a break the service says where to go on. */
async function sendParts(upload: Upload, id: string): Promise<void> {
  const { service, file } = upload
  for (let offset = 0, failures = 0; offset < file.size; ) {
    try {
      offset = (await send<{ offset: number }>(upload, 'PATCH', `/api/uploads/${id}?offset=${offset}`, offset)).offset
      failures = 0
    } catch (error) {
      if (!isPassing(error) || ++failures > TRIES_MAX) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** failures)))
      const known = await dataOf(service.http.GET('/api/uploads/{id}', { params: { path: { id } } })).catch(
        () => undefined,
      )
      offset = known?.offset ?? offset
    }
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && [0, 401, 408, 409, 502, 503, 504].includes(error.problem.status)

/** One request with the file from `offset` on, whose progress is told, which `fetch` cannot. */
async function send<Reply>(
  { service, file, onProgress }: Upload,
  method: 'POST' | 'PATCH',
  address: string,
  offset: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const token = await service.session.token()
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open(method, address)
    request.setRequestHeader('authorization', `Bearer ${token ?? ''}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    for (const [header, value] of Object.entries(headers)) request.setRequestHeader(header, value)
    request.responseType = 'json'
    request.upload.onprogress = (event) => onProgress(file.size ? (offset + event.loaded) / file.size : 1)
    request.onload = () => {
      service.seen.note(request.getResponseHeader(POSITION_HEADER))
      if (request.status < 300) resolve(request.response as Reply)
      else reject(new ApiError((request.response as Problem | null) ?? unknownFailure(request.status)))
    }
    request.onerror = () => reject(new ApiError(offline))
    request.send(file.slice(offset))
  })
}

const unknownFailure = (status: number): Problem => ({ title: 'The upload failed.', status, code: 'unknown' })
