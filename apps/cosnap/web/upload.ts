import { ApiError, type Problem } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'

export const ACCEPT = 'image/jpeg,image/png,image/webp,image/avif,image/gif,image/tiff'
const BYTES_MAX = 30 * 1024 * 1024

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

/** Sends a photo and tells how far it is, which `fetch` cannot. Resolves with the photo's id. */
export async function uploadPhoto(
  service: Service,
  file: Blob,
  name: string,
  onProgress: (share: number) => void,
): Promise<string> {
  if (file.size > BYTES_MAX) throw new ApiError(tooLarge)
  const token = await service.session.token()
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/api/cosnap/photos?name=${encodeURIComponent(name.slice(0, 200))}`)
    request.setRequestHeader('authorization', `Bearer ${token ?? ''}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0)
    request.onload = () => {
      if (request.status === 201) resolve((request.response as { id: string }).id)
      else
        reject(
          new ApiError(
            (request.response as Problem | null) ?? {
              title: 'The upload failed.',
              status: request.status,
              code: 'unknown',
            },
          ),
        )
    }
    request.onerror = () => reject(new ApiError(offline))
    request.send(file)
  })
}
