import type { cosnap } from '@seaworthy/cosnap/app'
import type { PathsOf } from '@seaworthy/platform/definition'
import type { batchApp, identityApp, operationsApp, privacyApp, uploadsApp } from '@seaworthy/platform/http'
import createFetchClient, { type Client } from 'openapi-fetch'
import { ApiError, endsSession, readProblem } from './problem.ts'
import { createSender } from './send.ts'
import { createSession, type Session } from './session.ts'

/** All routes of all apps, inferred from their definitions. */
export type Paths = PathsOf<ReturnType<typeof identityApp>> &
  PathsOf<ReturnType<typeof operationsApp>> &
  PathsOf<ReturnType<typeof uploadsApp>> &
  PathsOf<ReturnType<typeof batchApp>> &
  PathsOf<ReturnType<typeof privacyApp>> &
  PathsOf<typeof cosnap>

export interface Api {
  readonly http: Client<Paths>
  readonly session: Session
}

export interface ApiSettings {
  /** Empty on our own pages. */
  readonly baseUrl: string
  readonly fetcher?: typeof fetch
  readonly timeoutMs?: number
  readonly retriesMax?: number
  /** The answer to a refresh that the page asked for before this code had come. */
  readonly refreshed?: Promise<Response> | undefined
}

const TIMEOUT_MS = 30_000
const RETRIES_MAX = 3

export function createApi({
  baseUrl,
  fetcher = (input, init) => fetch(input, init),
  timeoutMs = TIMEOUT_MS,
  retriesMax = RETRIES_MAX,
  refreshed,
}: ApiSettings): Api {
  const session = createSession(baseUrl, fetcher, refreshed)
  const http = createFetchClient<Paths>({ baseUrl, fetch: createSender({ session, fetcher, timeoutMs, retriesMax }) })
  http.use({
    onResponse: async ({ response }) => {
      if (response.ok) return undefined
      const problem = await readProblem(response)
      if (endsSession(problem) && session.state.status === 'signed-in') session.end()
      throw new ApiError(problem)
    },
  })
  return { http, session }
}

/** The body of an answer; failures were thrown before. */
export async function dataOf<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}
