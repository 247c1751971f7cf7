import { applyLoad, type Load } from './load.ts'
import { jpegPhoto, uploadPhoto } from './photo.ts'
import type { Stack } from './stack.ts'

const PEOPLE = 8

/** What people of Cosnap do while they look around, in the parts in which they do it. */
const paths = [
  ...Array<string>(4).fill('/api/cosnap/photos'),
  ...Array<string>(3).fill('/api/cosnap/runs?state=done'),
  ...Array<string>(2).fill('/api/cosnap/credits'),
  ...Array<string>(2).fill('/api/cosnap/effects'),
  '/api/identity/me',
  '/',
]

/** Signed-in people with photos of their own, each asking in turn, at a rate that does not wait for answers. */
export async function applyMix(stack: Stack, perSecond: number, seconds: number): Promise<Load> {
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => stack.newcomer()))
  const photo = await jpegPhoto(160, 120)
  await Promise.all(people.map((person) => uploadPhoto(person, photo)))
  return applyLoad({
    perSecond,
    seconds,
    request: (n) => ({
      url: `${stack.url}${paths[n % paths.length]}`,
      headers: { authorization: `Bearer ${people[n % PEOPLE]?.token}`, accept: 'text/html, application/json' },
    }),
  })
}
