import { jsonBody, type Person } from './person.ts'

const path = '/api/vault/provider-keys'

export interface ShownKey {
  readonly id: string
  readonly name: string
  readonly lastFour: string
}

/** Keeps a key in an account, as its owner does. Throws when that is refused. */
export async function keepProviderKey(person: Person, name: string, secret: string): Promise<ShownKey> {
  const response = await person.fetch(path, jsonBody({ name, secret }, {}, 'PUT'))
  if (!response.ok) throw new Error(`the key was refused: ${response.status} ${await response.text()}`)
  return (await response.json()) as ShownKey
}

/** What the account sees of its keys; undefined when the answer was an error. */
export async function seeProviderKeys(person: Person): Promise<readonly ShownKey[] | undefined> {
  const response = await person.fetch(path)
  const body = (await response.json()) as { readonly items?: readonly ShownKey[] }
  return response.ok ? body.items : undefined
}

/** Looks like a provider's, and is nobody's. */
export const randomSecret = (random: () => number): string =>
  `sk-${Array.from({ length: 21 }, () => 'abcdefghjkmnpqrstuvwxyz23456789'[Math.floor(random() * 31)]).join('')}`
