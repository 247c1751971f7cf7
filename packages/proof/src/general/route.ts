import { randomBytes } from 'node:crypto'

/** One line of a configuration, such as `POST /api/notes {"title":"{text}"}`, in its parts. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly body?: string
}

/** What stands for `{name}` in a route. */
export type Values = Readonly<Record<string, string | number>>

export function parseRoute(line: string): Route {
  const [, method, path, body] = /^([A-Z]+) (\/\S*)(?: (.+))?$/s.exec(line) ?? []
  if (!method || !path) throw new Error(`"${line}" is no route such as: POST /api/notes {"title":"{text}"}`)
  return { method, path, ...(body ? { body } : {}) }
}

/** The route with its places filled: encoded in the path, as JSON text in the body. */
export function fillRoute({ method, path, body }: Route, values: Values): Route {
  const all: Values = { text: newMark(), number: 1, ...values }
  return {
    method,
    path: fill(path, all, encodeURIComponent),
    ...(body === undefined ? {} : { body: fill(body, all, (value) => JSON.stringify(value).slice(1, -1)) }),
  }
}

/** Each `{name}` replaced; what has no value stays. */
export const fill = (text: string, values: Values, encode = (value: string): string => value): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => (name in values ? encode(String(values[name])) : place))

/** Text that nobody else has. */
export const newMark = (): string => `mark${randomBytes(9).toString('hex')}`
