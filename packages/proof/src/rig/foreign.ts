import type { DocumentedRoute } from './api-document.ts'
import type { Person } from './person.ts'
import { jpegPhoto, type Run, startRun, untilRunIs, uploadPhoto } from './photo.ts'
import type { Stack } from './stack.ts'

/** An id that nobody has. */
export const MISSING = '01890000-0000-7000-8000-000000000000'
const KEY = 'a-key-that-two-people-use'

/** What one person owns, for another to reach for. */
export interface Things {
  readonly photoId: string
  readonly run: Run
  /** What must not be found in anybody else's answers. */
  readonly marks: readonly string[]
  /** The next page of the owner's photos. */
  readonly cursor: string
}

export async function makeThings(owner: Person): Promise<Things> {
  const photo = await jpegPhoto(64, 48)
  const photoId = await uploadPhoto(owner, photo)
  const second = await uploadPhoto(owner, photo)
  const started = (await (await startRun(owner, photoId, 'noir', KEY)).json()) as Run
  const run = await untilRunIs(owner, started.id, 'done')
  const { next } = await owner.json<{ next: string }>('/api/cosnap/photos?limit=1')
  return { photoId, run, cursor: next, marks: [photoId, second, run.id, run.jobId, owner.accountId, owner.userId] }
}

/** Every route with an id, with a foreign one and with one that nobody has. */
export async function askById(stranger: Person, routes: readonly DocumentedRoute[], { photoId, run }: Things) {
  const answers: { readonly asked: string; readonly foreign: number; readonly differs: boolean }[] = []
  for (const { method, path } of routes.filter((route) => route.path.includes('{id}')))
    for (const id of [photoId, run.id]) {
      const ask = (used: string) => stranger.fetch(path.replace('{id}', used), { method })
      const [foreign, missing] = [await ask(id), await ask(MISSING)]
      const differs = (await wordsOf(foreign)) !== (await wordsOf(missing))
      answers.push({ asked: `${method} ${path} ${foreign.status}`, foreign: foreign.status, differs })
    }
  return answers
}

/** Status and body without what differs from request to request. */
const wordsOf = async (response: Response): Promise<string> =>
  `${response.status} ${(await response.text()).replace(/"requestId":"[^"]*"/, '')}`

/** Every list, as it is and asked for more. */
export function lists(routes: readonly DocumentedRoute[], owner: Person, { photoId, cursor }: Things): string[] {
  const plain = routes.filter(({ method, path }) => method === 'GET' && !path.includes('{')).map(({ path }) => path)
  const more = [
    `photoId=${photoId}`,
    `cursor=${cursor}`,
    `account_id=${owner.accountId}`,
    `accountId=${owner.accountId}`,
  ]
  return plain.flatMap((path) => [path, ...more.map((query) => `${path}?${query}`)])
}

export async function findForeign(stranger: Person, { marks }: Things, paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    const headers = { 'x-account-id': marks.at(-2) ?? '', 'x-user-id': marks.at(-1) ?? '' }
    const response = await stranger.fetch(path, { headers })
    const text = await response.text()
    if (response.ok && marks.some((mark) => text.includes(mark))) found.push(`${path} ${response.status}`)
  }
  return found
}

/** With a foreign id in a body, a foreign key, and one's own signature on a foreign file. */
export async function borrow(stack: Stack, stranger: Person, { photoId, run }: Things, own: string): Promise<string[]> {
  const { picture } = await stranger.json<{ picture: { full: string } }>(`/api/cosnap/photos/${own}`)
  const answers = {
    'an effect on a foreign photo': await startRun(stranger, photoId),
    'the key of a foreign effect': await startRun(stranger, photoId, 'noir', KEY),
    'a foreign file': await fetch(`${stack.url}${run.result?.full.split('?')[0]}?${picture.full.split('?')[1]}`),
  }
  return Object.entries(answers).flatMap(([what, { status }]) => (status < 400 ? [`${what}: ${status}`] : []))
}
