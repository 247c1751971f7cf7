/** The language apps are written in: plain typed values. */
export { type Ai, type AiAnswer, type AiImage, type AiTask, aiTask, local, outside, own } from '../ai/index.ts'
export { type Consent, consent, hasConsent, requireConsent } from '../consent/index.ts'
export {
  type BlindIndex,
  column,
  type DatabaseOf,
  pii,
  queries,
  type Sealed,
  sql,
  type Table,
  type Transaction,
  table,
} from '../data/index.ts'
export { type Flag, flag } from '../flags/index.ts'
export { type Rate, type RateClass, rate, unlimited } from '../limits/index.ts'
export { type Channel, channel } from '../realtime/index.ts'
export { type App, addressOf, defineApp, type Scope, scopeOf, scopesOf } from './app.ts'
export { type Deployment, defaultDeployment } from './deployment.ts'
export { chooseFields, type FieldChoice, fieldChoiceOf } from './fields.ts'
export { type FileAnswer, fileReply, fileTypesOf } from './file-reply.ts'
export { enqueueJob, type Job, type JobContext, type JobEndContext, job, type Schedule, schedule } from './job.ts'
export { refusalsOf, renderOpenApi } from './openapi.ts'
export { type Cursors, createCursors, pageQuery, pageReply, toPage } from './page.ts'
export type { PathsOf } from './paths.ts'
export {
  type AnswerHeaders,
  type Auth,
  type Body,
  type Method,
  noBody,
  type PhotoUpload,
  photoUpload,
  type Replies,
  type Route,
  type RouteAsk,
  type RouteContext,
  type RouteTold,
  route,
  type StreamBody,
  streamBody,
  type TransactionMode,
} from './route.ts'
