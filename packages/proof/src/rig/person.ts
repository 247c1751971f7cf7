import { askUntilServed } from './asked-again.ts'

/** Somebody who uses the product from outside: nothing of it but HTTP. */
export interface Person {
  readonly email: string
  readonly password: string
  readonly token: string
  readonly accountId: string
  readonly userId: string
  /** The refresh cookie, as `name=value`. */
  readonly cookie: string
  fetch(path: string, init?: RequestInit): Promise<Response>
  json<T>(path: string, init?: RequestInit): Promise<T>
}

let people = 0
export const PASSWORD = 'a boat for everyone'

export async function signUp(url: string, operatorToken?: string): Promise<Person> {
  const email = `person-${process.pid}-${Date.now()}-${++people}@example.com`
  return enter(url, '/api/identity/sign-up', { email, password: PASSWORD, ...(operatorToken ? { operatorToken } : {}) })
}

export const signIn = (url: string, email: string, password = PASSWORD): Promise<Person> =>
  enter(url, '/api/identity/sign-in', { email, password })

async function enter(
  url: string,
  path: string,
  body: { readonly email: string; readonly password: string; readonly operatorToken?: string },
): Promise<Person> {
  const response = await askUntilServed(() => fetch(`${url}${path}`, jsonBody(body)))
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  const { accessToken, user } = (await response.json()) as {
    accessToken: string
    user: { id: string; accountId: string }
  }
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const asPerson = (target: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${target}`, { ...init, headers: { authorization: `Bearer ${accessToken}`, ...init.headers } })
  return {
    email: body.email,
    password: body.password,
    token: accessToken,
    accountId: user.accountId,
    userId: user.id,
    cookie,
    fetch: asPerson,
    json: async (target, init) => (await asPerson(target, init)).json(),
  }
}

/** A request with a JSON body. */
export const jsonBody = (body: unknown, headers: Record<string, string> = {}, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})
