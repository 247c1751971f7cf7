import { type DocumentedRoute, documentedRoutes } from './api-document.ts'
import type { Canaries } from './canaries.ts'
import { MISSING } from './foreign.ts'
import { openLive } from './live.ts'
import { jsonBody, type Person } from './person.ts'
import { jpegPhoto } from './photo.ts'
import { sendRaw } from './raw.ts'
import type { Stack } from './stack.ts'

/** Headers that carry secrets, and some that carry people. */
const headersOf = (canaries: Canaries): Record<string, string> => ({
  cookie: `refresh=${canaries.word()}; session=${canaries.token()}`,
  'x-api-key': canaries.word(),
  'proxy-authorization': `Basic ${canaries.word()}`,
  'x-user-email': canaries.email(),
  referer: `https://app.example/reset?token=${canaries.word()}`,
  'user-agent': `Mailer/1.0 (${canaries.email()})`,
  'upload-id': canaries.word(),
})

/** A body that no route takes, with something in each corner. */
const bodyOf = (canaries: Canaries): unknown => ({
  email: canaries.email(),
  password: canaries.password(),
  people: [[{ phone: canaries.phone(), cards: [canaries.card()] }], { name: canaries.word() }],
  url: `https://user:${canaries.word()}@db.example/x`,
})

const queryOf = (canaries: Canaries): string =>
  `?token=${canaries.word()}&email=${encodeURIComponent(canaries.email())}&q=${canaries.word()}`

/** Every route of the document, with all of it at once. Returns the answers that are errors of the service. */
export async function plantInRoutes(stack: Stack, person: Person, canaries: Canaries): Promise<string[]> {
  const failures: string[] = []
  for (const route of await documentedRoutes(stack.url)) {
    const known = { id: MISSING, token: person.token }
    const unknown = { id: canaries.word(), token: canaries.token() }
    for (const as of [known, unknown]) failures.push(...(await plantInRoute(stack, route, as, canaries)))
  }
  return failures
}

async function plantInRoute(
  stack: Stack,
  { method, path }: DocumentedRoute,
  { id, token }: { readonly id: string; readonly token: string },
  canaries: Canaries,
): Promise<string[]> {
  const init = method === 'GET' ? {} : jsonBody(bodyOf(canaries), {}, method)
  const headers = { ...init.headers, ...headersOf(canaries), authorization: `Bearer ${token}` }
  const url = `${stack.url}${path.replace(/\{[^}]+\}/g, id)}${queryOf(canaries)}`
  const response = await fetch(url, { ...init, method, headers })
  const text = await response.text()
  return response.status >= 500 ? [text] : []
}

/** People with planted names and passwords, files, sockets, broken requests, addresses that are none. */
export async function plantElsewhere(stack: Stack, person: Person, canaries: Canaries): Promise<void> {
  const post = (path: string, body: unknown): Promise<unknown> =>
    fetch(`${stack.url}${path}`, jsonBody(body)).then((response) => response.text())
  for (let i = 0; i < 6; i++) {
    const [email, password] = [canaries.email(), canaries.password()]
    await post('/api/identity/sign-up', { email, password })
    // The address is taken now: the database itself complains.
    await post('/api/identity/sign-up', { email: email.toUpperCase(), password })
    await post('/api/identity/sign-in', { email, password: canaries.password() })
  }
  const photo = await jpegPhoto(64, 48)
  for (let i = 0; i < 5; i++) {
    await person.fetch(`/api/cosnap/photos?name=${canaries.word()}.jpg`, { method: 'POST', body: photo })
    const form = new FormData()
    form.set(canaries.word(), new Blob([photo]), `${canaries.word()}.jpg`)
    await person.fetch('/api/cosnap/photos', { method: 'POST', body: form })
    await person.fetch('/api/cosnap/photos', { method: 'POST', body: canaries.word() })
    await (await openLive(stack.url, { token: canaries.token() })).close()
    const secrets = `authorization: Bearer ${canaries.token()}\r\ncookie: a=${canaries.word()}`
    await sendRaw(
      stack.port,
      `GET /${canaries.word()}?key=${canaries.word()} HTTP/1.1\r\nhost: a\r\n${secrets}\r\nbad header\r\n\r\n`,
    )
    await fetch(`${stack.url}/${canaries.word()}?email=${canaries.email()}`, { headers: headersOf(canaries) })
    await fetch(`${stack.url}/media/${canaries.word()}/x/original?sig=${canaries.word()}`)
  }
}
