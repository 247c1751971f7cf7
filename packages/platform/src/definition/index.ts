/** The language apps are written in: plain typed values. */
export { column, type DatabaseOf, pii, queries, sql, type Table, type Transaction, table } from '../data/index.ts'
export { type Rate, type RateClass, rate, unlimited } from '../limits/index.ts'
export { type Channel, channel } from '../realtime/index.ts'
export { type App, addressOf, defineApp } from './app.ts'
export { type FileAnswer, fileReply, fileTypesOf } from './file-reply.ts'
export { enqueueJob, type Job, type JobContext, type JobEndContext, job, type Schedule, schedule } from './job.ts'
export { refusalsOf, renderOpenApi } from './openapi.ts'
export { type Cursors, createCursors, pageQuery, pageReply, toPage } from './page.ts'
export type { PathsOf } from './paths.ts'
export {
  type Auth,
  type Body,
  type Method,
  noBody,
  type PhotoUpload,
  photoUpload,
  type Replies,
  type Route,
  type RouteContext,
  route,
  type StreamBody,
  streamBody,
  type TransactionMode,
} from './route.ts'
