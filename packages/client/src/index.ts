/** The API as a typed client: signed in, with time limits and safe retries, and live events. */
export { type Api, type ApiSettings, createApi, dataOf, type Paths } from './api.ts'
export type { Builds } from './builds.ts'
export { createLive, type Live, type LiveMessage } from './live.ts'
export { ApiError, type Problem } from './problem.ts'
export { POSITION_HEADER, type Seen } from './seen.ts'
export type { Session, SessionAnswer, SessionState, SessionUser } from './session.ts'
