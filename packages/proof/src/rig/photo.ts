import type { Sharp } from 'sharp'
import type { Person } from './person.ts'
import { until } from './wait.ts'

/** A colourful picture made by arithmetic: no file in the tree, the same every time. */
async function drawPhoto(width: number, height: number): Promise<Sharp> {
  const { default: sharp } = await import('sharp')
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 3) {
      data[at] = (x * 255) / width
      data[at + 1] = (y * 255) / height
      data[at + 2] = 120 + ((x * 7 + y * 13) % 60)
    }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

export const jpegPhoto = async (width = 320, height = 240): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await (await drawPhoto(width, height)).jpeg().toBuffer())

/** Uploads a photo and gives its id. */
export async function uploadPhoto(person: Person, bytes: Uint8Array<ArrayBuffer>, name = 'boat.jpg'): Promise<string> {
  const response = await person.fetch(`/api/cosnap/photos?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    body: bytes,
  })
  if (response.status !== 201) throw new Error(`the upload answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { id: string }).id
}

export interface Run {
  readonly id: string
  readonly jobId: string
  readonly state: string
  readonly result: { readonly full: string } | null
}

let keys = 0

export const startRun = (person: Person, photoId: string, effect = 'noir', key = `proof-${Date.now()}-${++keys}`) =>
  person.fetch('/api/cosnap/runs', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ photoId, effect, strength: 60 }),
  })

export const untilRunIs = (person: Person, id: string, state: string, deadlineMs = 60_000): Promise<Run> =>
  until(
    `the effect is ${state}`,
    async () => {
      const run = await person.json<Run>(`/api/cosnap/runs/${id}`).catch(() => undefined)
      return run?.state === state && run
    },
    deadlineMs,
  )

/** Waits until none of this person's effects is waiting or being made. */
export const untilIdle = (person: Person, deadlineMs = 60_000): Promise<true> =>
  until(
    'every effect has ended',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, IDLE_STEP_MS))
      const { items } = await person.json<{ items: unknown[] }>('/api/cosnap/runs?state=queued&limit=1')
      return items.length === 0
    },
    deadlineMs,
  )

const IDLE_STEP_MS = 100

export interface Credits {
  readonly available: number
  readonly held: number
  readonly spent: number
}

export async function creditsOf(person: Person): Promise<Credits> {
  const { available, held, spent } = await person.json<Credits>('/api/cosnap/credits')
  return { available, held, spent }
}
