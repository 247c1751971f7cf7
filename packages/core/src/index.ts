/** Words that everyone shares. Pure: no file, no socket, no environment; runs in the browser. */
export { assert, present, unreachable } from './assert.ts'
export { backoffMs, pause } from './backoff.ts'
export {
  type AccountCaller,
  type AccountId,
  type Caller,
  type Role,
  roleAtLeast,
  roles,
  type UserId,
} from './caller.ts'
export {
  AppError,
  defineErrors,
  type ErrorOptionsOf,
  type ErrorSpec,
  type FieldFault,
  fault,
  type PlatformErrorCode,
  platformErrors,
} from './errors.ts'
export { isId, newId } from './ids.ts'
export { isLoopback } from './loopback.ts'
export { type Credits, credits } from './money.ts'
export { no, ok, type Result } from './result.ts'
export { type RunbookName, runbookNames } from './runbooks.ts'
export { Secret } from './secret.ts'
export { type Clock, DAY, HOUR, MINUTE, parseDuration, SECOND, systemClock } from './time.ts'
export { KiB, MiB, parseBytes, showBytes } from './units.ts'
