import { AppError, fault, type PlatformErrorCode } from '@seaworthy/core'

/** What a database error means for the caller. Prefixes of two characters name a whole class. */
const meanings: Record<string, PlatformErrorCode> = {
  '08': 'unavailable', // connection broken
  '22': 'invalid_input', // value does not fit its type, NUL in text
  '23': 'conflict', // a constraint
  '23514': 'invalid_input', // CHECK
  '23502': 'invalid_input', // NOT NULL
  '25006': 'unavailable', // read-only
  '25P03': 'unavailable', // idle in transaction for too long
  '25P04': 'unavailable', // transaction took too long
  '40': 'unavailable', // serialisation and deadlock, after all retries
  '53': 'unavailable', // out of connections or memory
  '53100': 'storage_full',
  '55P03': 'unavailable', // lock not available
  '57': 'unavailable', // cancelled, shutting down, starting up
  '58030': 'storage_full', // I/O error
}

const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH'])
const connectionWords =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable/

interface DatabaseErrorLike extends Error {
  readonly code?: string
  readonly constraint?: string
}

/** An error of ours for one of the database's; anything that is not the database's comes back as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const code = (error as DatabaseErrorLike).code
  const meaning =
    isConnectionError(error) || isReadOnlyFile(error)
      ? 'unavailable'
      : code
        ? (meanings[code] ?? meanings[code.slice(0, 2)])
        : undefined
  if (!meaning) return error
  const internal = `database: ${code ?? ''} ${error.message}`
  return fault(meaning, { internal, cause: error, ...(meaning === 'unavailable' ? { retryAfterSeconds: 1 } : {}) })
}

/** True when the connection, not the statement, failed: nothing is known about what was under way. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as DatabaseErrorLike).code ?? ''
  return (
    connectionErrors.has(code) || code.startsWith('08') || code.startsWith('57P') || connectionWords.test(error.message)
  )
}

/** PostgreSQL reports a file system that has become read-only with the code of missing rights. */
const isReadOnlyFile = (error: DatabaseErrorLike): boolean =>
  error.code === '42501' && error.message.endsWith(': Read-only file system')

/** True when the same transaction may well succeed if it is run again. */
export function isWorthRetrying(error: unknown): boolean {
  const code = (error as DatabaseErrorLike | undefined)?.code
  return code === '40001' || code === '40P01'
}

/** True when somebody else held what the statement needed for longer than it was willing to wait. */
export function isLockTimeout(error: unknown): boolean {
  return (error as DatabaseErrorLike | undefined)?.code === '55P03'
}

/** True when this unique constraint or index was violated. */
export function violates(error: unknown, constraint: string): boolean {
  const found = error instanceof AppError ? error.cause : error
  return (found as DatabaseErrorLike | undefined)?.constraint === constraint
}
