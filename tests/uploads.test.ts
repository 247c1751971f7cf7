import { connect } from 'node:net'
import { jpegPhoto, type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Upload {
  readonly id: string
  readonly offset: number
  readonly bytes: number
}

describe('uploads in parts', () => {
  let service: TestService
  let photo: Uint8Array<ArrayBuffer>
  beforeAll(async () => {
    service = await openTestService()
    photo = await jpegPhoto(900, 700)
  })
  afterAll(() => service.close())

  const begin = async (person: Newcomer, bytes = photo.length): Promise<Upload> => {
    const response = await person.fetch('/api/uploads', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ bytes }),
    })
    expect(response.status).toBe(201)
    return response.json()
  }
  const append = (person: Newcomer, id: string, offset: number, body: Uint8Array<ArrayBuffer>) =>
    person.fetch(`/api/uploads/${id}?offset=${offset}`, { method: 'PATCH', body })
  const finish = (person: Newcomer, id: string) =>
    person.fetch('/api/cosnap/photos?name=boat.jpg', { method: 'POST', headers: { 'upload-id': id } })
  const offsetOf = async (person: Newcomer, id: string): Promise<number> =>
    ((await (await person.fetch(`/api/uploads/${id}`)).json()) as Upload).offset

  it('goes on where the connection broke, and the photo is whole', async () => {
    const person = await service.newcomer()
    const { id } = await begin(person)
    const half = Math.floor(photo.length / 2)
    await breakOff(person, id, photo.subarray(0, half))
    const offset = await until('what arrived is kept', async () => (await offsetOf(person, id)) || undefined)
    expect(offset).toBeLessThanOrEqual(half)
    expect((await finish(person, id)).status).toBe(409)
    expect(await (await append(person, id, offset, photo.slice(offset))).json()).toMatchObject({ offset: photo.length })
    const made = await finish(person, id)
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ picture: { width: 900, height: 700 } })
    expect((await finish(person, id)).status).toBe(404)
  })

  it('adds nothing at another place, nothing beyond what was announced, and nothing of somebody else', async () => {
    const [person, stranger] = [await service.newcomer(), await service.newcomer()]
    const { id } = await begin(person, 10)
    expect((await append(person, id, 5, new Uint8Array(5))).status).toBe(409)
    expect((await append(person, id, 0, new Uint8Array(11))).status).toBe(413)
    expect((await append(stranger, id, 0, new Uint8Array(5))).status).toBe(404)
    expect((await stranger.fetch(`/api/uploads/${id}`)).status).toBe(404)
    expect((await finish(stranger, id)).status).toBe(404)
    expect(await offsetOf(person, id)).toBeLessThanOrEqual(10)
  })

  it('forgets what was no photo, and lets an account have five open at a time', async () => {
    const person = await service.newcomer()
    const { id } = await begin(person, 4)
    await append(person, id, 0, new Uint8Array([1, 2, 3, 4]))
    expect((await finish(person, id)).status).toBe(422)
    expect((await finish(person, id)).status).toBe(404)
    for (let i = 0; i < 5; i++) await begin(person)
    const sixth = await person.fetch('/api/uploads', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"bytes":1}',
    })
    expect(sixth.status).toBe(409)
  })

  /** Sends a part that promises more than it brings, and hangs up. */
  function breakOff(person: Newcomer, id: string, part: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => {
        socket.write(
          `PATCH /api/uploads/${id}?offset=0 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${person.token}\r\nContent-Length: ${photo.length}\r\n\r\n`,
        )
        socket.write(part, () => setTimeout(() => socket.destroy(), 100))
      })
      socket.on('close', () => resolve())
      socket.on('error', () => undefined)
    })
  }
})
