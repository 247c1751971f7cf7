import { jpegPhoto } from '../rig/photo.ts'
import { type Answer, jsonOf, pick, type Sending, send } from './answer.ts'
import type { GeneralConfig } from './config.ts'
import { fillRoute, newMark, parseRoute, type Values } from './route.ts'

/** How one request differs from the line in the configuration. */
export interface Asking {
  readonly values?: Values
  readonly headers?: Readonly<Record<string, string>>
  readonly from?: string
  readonly timeoutMs?: number
  /** In place of the body of the line. */
  readonly body?: string | Uint8Array
}

/** Somebody with an account; nothing of the app but HTTP. */
export interface Somebody {
  readonly email: string
  readonly password: string
  readonly userId: string
  readonly token: string
  /** The answer to signing up. */
  readonly answer: Answer
  ask(line: string, asking?: Asking): Promise<Answer>
}

const PASSWORD = 'a boat for Everyone 7!'

/** A request as anybody. The body `{photo}` is a photo. */
export async function ask(
  url: string,
  line: string,
  { values = {}, headers = {}, ...asking }: Asking = {},
): Promise<Answer> {
  const { method, path, body } = fillRoute(parseRoute(line), values)
  const given = asking.body ?? (body === '{photo}' ? await jpegPhoto() : body)
  const type = typeof given === 'string' ? 'application/json' : 'image/jpeg'
  const sending: Sending = {
    method,
    path,
    ...(given === undefined ? {} : { body: given }),
    headers: { ...(given === undefined ? {} : { 'content-type': type }), ...headers },
    ...(asking.from ? { from: asking.from } : {}),
    ...(asking.timeoutMs ? { timeoutMs: asking.timeoutMs } : {}),
  }
  return send(url, sending)
}

/** Signs somebody up, or in with another line. */
export async function enter(
  url: string,
  { signUp = '', token = '' }: GeneralConfig,
  line = signUp,
  known: { readonly email?: string; readonly password?: string } = {},
): Promise<Somebody> {
  const email = known.email ?? `${newMark()}@example.com`
  const password = known.password ?? PASSWORD
  const answer = await ask(url, line, { values: { email, password } })
  if (answer.status >= 300 || answer.status === 0)
    throw new Error(`${answer.request} answered ${answer.status} ${answer.text.slice(0, 200)}`)
  const proof = proofIn(answer, token)
  const own: Record<string, string> = token.startsWith('cookie.')
    ? { cookie: `${token.slice('cookie.'.length)}=${proof}` }
    : { authorization: `Bearer ${proof}` }
  const body = jsonOf(answer)
  return {
    email,
    password,
    userId: String(pick(body, 'user.id') ?? pick(body, 'id') ?? ''),
    token: proof,
    answer,
    ask: (target, asking = {}) => ask(url, target, { ...asking, headers: { ...own, ...asking.headers } }),
  }
}

function proofIn(answer: Answer, place: string): string {
  const name = place.slice(place.indexOf('.') + 1)
  const found = place.startsWith('cookie.')
    ? [answer.headers['set-cookie'] ?? []]
        .flat()
        .find((cookie) => cookie.startsWith(`${name}=`))
        ?.split(';')[0]
        ?.slice(name.length + 1)
    : pick(jsonOf(answer), name)
  if (typeof found !== 'string') throw new Error(`the answer to ${answer.request} has no ${place}`)
  return found
}
