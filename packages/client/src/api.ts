import type { cosnap } from '@seaworthy/cosnap/app'
import type { PathsOf } from '@seaworthy/platform/definition'
import type {
  auditApp,
  batchApp,
  identityApp,
  operationsApp,
  privacyApp,
  uploadsApp,
  vaultApp,
} from '@seaworthy/platform/http'
import createFetchClient, { type Client } from 'openapi-fetch'
import { type Builds, createBuilds } from './builds.ts'
import { ApiError, endsSession, readProblem } from './problem.ts'
import { type Download, type FileAsked, readFile } from './read-file.ts'
import { createSeen, type Seen } from './seen.ts'
import { createSender } from './send.ts'
import { createSession, type Session } from './session.ts'

/** All routes of all apps, inferred from their definitions. */
export type Paths = PathsOf<ReturnType<typeof identityApp>> &
  PathsOf<ReturnType<typeof operationsApp>> &
  PathsOf<ReturnType<typeof uploadsApp>> &
  PathsOf<ReturnType<typeof batchApp>> &
  PathsOf<ReturnType<typeof auditApp>> &
  PathsOf<ReturnType<typeof privacyApp>> &
  PathsOf<ReturnType<typeof vaultApp>> &
  PathsOf<typeof cosnap>

export interface Api {
  readonly http: Client<Paths>
  readonly session: Session
  readonly seen: Seen
  readonly builds: Builds
  /**
   * A file of a route that gives one, however long it takes: `ask` passes what it is given on to `http`. Throws `ApiError`.
   * @example api.file((how) => api.http.GET('/api/audit/export', how), { onBytes, signal })
   */
  file(ask: (how: FileAsked) => Promise<{ data?: ReadableStream<Uint8Array> | null }>, by: Download): Promise<Blob>
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
/** Files are made while they are read; the service is not asked to wait longer for whoever reads. */
const FILE_MS = 9_000_000

export function createApi({
  baseUrl,
  fetcher = (input, init) => fetch(input, init),
  timeoutMs = TIMEOUT_MS,
  retriesMax = RETRIES_MAX,
  refreshed,
}: ApiSettings): Api {
  const seen = createSeen()
  const builds = createBuilds()
  const session = createSession(baseUrl, fetcher, { asked: refreshed, builds })
  const http = createFetchClient<Paths>({
    baseUrl,
    fetch: createSender({ session, seen, fetcher, timeoutMs, retriesMax }),
  })
  const patient = createSender({ session, seen, fetcher, timeoutMs: FILE_MS, retriesMax })
  http.use({
    onResponse: async ({ response }) => {
      if (response.ok) return undefined
      const problem = await readProblem(response)
      if (endsSession(problem) && session.state.status === 'signed-in') session.end()
      throw new ApiError(problem)
    },
  })
  return {
    http,
    session,
    seen,
    builds,
    file: (ask, by) => readFile((signal) => ask({ parseAs: 'stream', fetch: patient, signal }), by),
  }
}

/** The body of an answer; failures were thrown before. */
export async function dataOf<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}
