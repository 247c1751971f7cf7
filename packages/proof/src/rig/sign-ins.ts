import { askUntilServed } from './asked-again.ts'
import { jsonBody, type Person } from './person.ts'
import type { Stack } from './stack.ts'

/** A sign-in that is kept going, as a browser keeps it. */
export interface KeptSignIn {
  /** The newest access token. */
  readonly token: string
  /** A new token, by whichever process. Throws when the sign-in has ended. */
  renew(): Promise<string>
}

let sources = 0
/** From an address of its own: where the product believes one proxy. */
const nextSource = (): string => `198.18.${(++sources >> 7) & 255}.${(sources & 127) + 1}`

export async function keepSignIn({ url }: Stack, { email, password }: Person): Promise<KeptSignIn> {
  const send = async (path: string, init: RequestInit): Promise<{ token: string; cookie: string }> => {
    const headers = { ...init.headers, connection: 'close', 'x-forwarded-for': nextSource() }
    const response = await askUntilServed(() => fetch(`${url}${path}`, { ...init, headers }))
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    const { accessToken } = (await response.json()) as { accessToken: string }
    const set = response.headers.getSetCookie().find((cookie) => cookie.includes('refresh='))
    return { token: accessToken, cookie: set?.split(';')[0] ?? '' }
  }
  let now = await send('/api/identity/sign-in', jsonBody({ email, password }))
  return {
    get token() {
      return now.token
    },
    renew: async () => {
      now = await send('/api/identity/refresh', { method: 'POST', headers: { cookie: now.cookie } })
      return now.token
    },
  }
}
