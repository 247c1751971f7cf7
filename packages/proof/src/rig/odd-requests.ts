import { connect } from 'node:net'
import { openBareLive } from './bare-live.ts'
import { deliver } from './delivered.ts'
import { jsonBody, type Person } from './person.ts'
import { jpegPhoto, uploadPhoto } from './photo.ts'
import type { Stack } from './stack.ts'

/** Requests that end as they should not: refused, broken off, in the middle of an upload, of an answer or of a body. */
export async function oddRequests(stack: Stack, person: Person): Promise<readonly ((n: number) => Promise<unknown>)[]> {
  const photo = await jpegPhoto(64, 48)
  const { picture } = await person.json<{ picture: { full: string } }>(
    `/api/cosnap/photos/${await uploadPhoto(person, photo)}`,
  )
  const take = (path: string, init?: RequestInit): Promise<unknown> =>
    person.fetch(path, init).then((answer) => answer.arrayBuffer())
  const authorization = `Authorization: Bearer ${person.token}`
  return [
    () => take('/api/nowhere'),
    () => take('/api/cosnap/photos', { headers: { authorization: 'Bearer nonsense' } }),
    (n) => take('/api/cosnap/runs', jsonBody({ wrong: n }, { 'idempotency-key': `odd-${n}` })),
    () => take('/api/cosnap/photos?name=a.jpg', { method: 'POST', body: 'no photo' }),
    () => deliver(stack.url, picture.full, { range: 'bytes=0-99' }),
    () => deliver(stack.url, picture.full.replace('original', '320.webp')),
    () => breakOff(stack.port, `GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n`),
    () =>
      breakOff(
        stack.port,
        `POST /api/cosnap/photos HTTP/1.1\r\nHost: a\r\n${authorization}\r\nContent-Length: 90000\r\n\r\nhalf`,
      ),
    () =>
      breakOff(
        stack.port,
        `POST /api/identity/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"`,
      ),
    () => breakOff(stack.port, 'NONSENSE\r\n\r\n'),
    async () => {
      const live = await openBareLive(stack.port, person.token)
      await live.subscribe('platform.jobs')
      live.close()
    },
  ]
}

/** Says this and is gone as soon as it was said. */
function breakOff(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.write(bytes, () => socket.resetAndDestroy())
  })
}
