import { type DocumentedRoute, documentedRoutes } from './api-document.ts'
import { jsonBody, type Person } from './person.ts'
import { jpegPhoto, startRun, untilRunIs, uploadPhoto } from './photo.ts'
import type { Stack } from './stack.ts'

/** Whole archives are made from them, a few times a year: no path that people wait on. */
const rare = /export|\/verify/

interface Answer {
  readonly id?: string
  readonly next?: string | null
  readonly items?: readonly { readonly id?: string }[]
}

/** Everything that may be read, by this person, with each choice that a list offers and its second page. Answers that are errors of the service. */
export async function readEverything(stack: Stack, person: Person): Promise<string[]> {
  const failures: string[] = []
  const read = async (path: string): Promise<Answer> => {
    const response = await person.fetch(path)
    const text = await response.text()
    if (response.status >= 500) failures.push(`${path}: ${response.status} ${text}`)
    return response.ok && text.startsWith('{') ? (JSON.parse(text) as Answer) : {}
  }
  const firstOf = ({ items }: Answer): string => items?.[0]?.id ?? person.userId
  for (const { method, path, operation } of await documentedRoutes(stack.url)) {
    if (method !== 'GET' || rare.test(path)) continue
    const list = path.replace(/\/\{[^}]+\}.*$/, '')
    const address = list === path ? path : path.replace(/\{[^}]+\}/g, firstOf(await read(`${list}?limit=1`)))
    const answer = await read(address)
    for (const choice of choicesOf(operation, firstOf(await read('/api/cosnap/photos?limit=1'))))
      await read(`${address}?${choice}`)
    if (answer.next) await read(`${address}?cursor=${encodeURIComponent(answer.next)}`)
  }
  return failures
}

/** Each value that a filter of this route may have. */
const choicesOf = ({ parameters }: DocumentedRoute['operation'], photoId: string): string[] =>
  parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name, schema }) =>
      (name === 'photoId' ? [photoId] : (schema.enum ?? [])).map((value) => `${name}=${value}`),
    )

/** What people do all day: come, sign in, upload, have effects made, cancel, delete, stay signed in, leave. */
export async function doEverything(stack: Stack): Promise<void> {
  const person = await stack.newcomer()
  const photo = await uploadPhoto(person, await jpegPhoto(64, 48))
  const made = (await (await startRun(person, photo)).json()) as { id: string }
  await untilRunIs(person, made.id, 'done')
  const open = (await (await startRun(person, photo, 'bloom')).json()) as { id: string }
  const post = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
    await (await person.fetch(path, { ...jsonBody({}, headers) })).arrayBuffer()
  }
  await post(`/api/cosnap/runs/${open.id}/cancel`)
  await (await person.fetch(`/api/cosnap/photos/${photo}`, { method: 'DELETE' })).arrayBuffer()
  await stack.signIn(person)
  await post('/api/identity/refresh', { cookie: person.cookie })
  await post('/api/identity/sign-out', { cookie: person.cookie })
}
