import { jsonBody, type Person } from './person.ts'
import type { Stack } from './stack.ts'

/** Somebody who works in a shared account, with the token for it. */
export interface Colleague {
  readonly person: Person
  readonly role: string
  readonly token: string
}

export interface Office {
  readonly accountId: string
  readonly owner: Colleague
  /** By invitation, as people do it. */
  join(role: 'viewer' | 'member' | 'admin'): Promise<Colleague>
}

/** A shared account, made and joined through the API. */
export async function openOffice(stack: Stack): Promise<Office> {
  const founder = await stack.newcomer()
  const { id } = await answerOf<{ id: string }>(founder.fetch('/api/identity/accounts', jsonBody({ name: 'Office' })))
  const owner = { person: founder, role: 'owner', token: await switchTo(founder, id) }
  return {
    accountId: id,
    owner,
    join: async (role) => {
      const person = await stack.newcomer()
      const headers = { authorization: `Bearer ${owner.token}` }
      const invitation = jsonBody({ email: person.email, role }, headers)
      const { link } = await answerOf<{ link: string }>(fetch(`${stack.url}/api/identity/invitations`, invitation))
      const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
      await answerOf(person.fetch('/api/identity/invitations/accept', jsonBody({ token })))
      return { person, role, token: await switchTo(person, id) }
    },
  }
}

/** The token of the same sign-in for another account; the one before is refused from now on. */
export async function switchTo(person: Pick<Person, 'fetch'>, accountId: string): Promise<string> {
  const switched = person.fetch(`/api/identity/accounts/${accountId}/switch`, { method: 'POST' })
  return (await answerOf<{ accessToken: string }>(switched)).accessToken
}

async function answerOf<T>(asked: Promise<Response>): Promise<T> {
  const response = await asked
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}
