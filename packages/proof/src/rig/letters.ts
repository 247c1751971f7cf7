import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** What somebody was sent, as the outbox keeps it. */
export interface Letter {
  readonly subject: string
  readonly body: { readonly action?: { readonly url: string } } | null
}

/** The newest first. */
export async function lettersTo(stack: Stack, email: string, about: string): Promise<readonly Letter[]> {
  const { rows } = await (await databaseOf(stack)).query<Letter>(
    'select subject, body from seaworthy.mail where lower(recipient) = lower($1) and subject like $2 order by id desc',
    [email, `${about}%`],
  )
  return rows
}

/** The token of the next letter that `ask` brings. */
export async function nextToken(
  stack: Stack,
  email: string,
  about: string,
  ask: () => Promise<unknown>,
): Promise<string> {
  const before = (await lettersTo(stack, email, about)).length
  await ask()
  const [letter] = await until('the letter is written', async () => {
    const letters = await lettersTo(stack, email, about)
    return letters.length > before && letters
  })
  return tokenIn(letter)
}

/** Behind the `#` of its link, which browsers keep to themselves; empty when it is anywhere else. */
const tokenIn = (letter: Letter | undefined): string =>
  /^https?:\/\/[^?#]+#token=([\w-]{43})$/.exec(letter?.body?.action?.url ?? '')?.[1] ?? ''

const clients = new WeakMap<Stack, ReturnType<Stack['database']>>()

function databaseOf(stack: Stack): ReturnType<Stack['database']> {
  const open = clients.get(stack) ?? stack.database()
  clients.set(stack, open)
  return open
}
