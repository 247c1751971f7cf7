import { request } from 'node:https'
import type { Composed } from './composed.ts'

export interface Answer {
  /** 0 when there was none. */
  readonly status: number
  readonly body: string
}

interface Asked {
  readonly method?: string
  readonly json?: unknown
  readonly token?: string
}

const HOST = 'app.example.com'
const PATIENCE_MS = 10_000

/** Asks as a browser does that has looked up the name and trusts the authority. */
function visit({ url, authority }: Composed, path: string, asked: Asked = {}): Promise<Answer> {
  const { method = asked.json ? 'POST' : 'GET', json, token } = asked
  const { hostname, port } = new URL(url)
  const headers = {
    host: HOST,
    ...(json ? { 'content-type': 'application/json' } : {}),
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  }
  return new Promise((resolve) => {
    const options = { hostname, port, path, method, headers, ca: authority, servername: HOST, timeout: PATIENCE_MS }
    const sent = request({ ...options, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('timeout', () => sent.destroy(new Error('too late')))
    sent.on('error', (error) => resolve({ status: 0, body: error.message }))
    sent.end(json ? JSON.stringify(json) : undefined)
  })
}

export interface Guest {
  readonly email: string
  readonly token: string
}

const PASSWORD = 'a boat for everyone'

export async function signUpAt(composed: Composed, email: string): Promise<Guest> {
  const { status, body } = await visit(composed, '/api/identity/sign-up', { json: { email, password: PASSWORD } })
  if (status >= 300 || status === 0) throw new Error(`signing up answered ${status}: ${body.slice(0, 300)}`)
  return { email, token: (JSON.parse(body) as { accessToken: string }).accessToken }
}

/** What somebody is answered who signed up before. */
export const signInAt = (composed: Composed, { email }: Guest): Promise<Answer> =>
  visit(composed, '/api/identity/sign-in', { json: { email, password: PASSWORD } })
