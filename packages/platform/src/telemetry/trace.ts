import { randomBytes } from 'node:crypto'

/** W3C Trace Context, version 00. */
export interface Trace {
  readonly traceId: string
  readonly spanId: string
  /** As it goes out: `00-<trace>-<span>-<flags>`. */
  readonly header: string
}

const form = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const POOL_BYTES = 4_096
let pool = Buffer.alloc(0)
let used = 0

/** Continues the caller's trace when its header is well formed and not all zeros; starts a new one otherwise. */
export function continueTrace(traceparent: string | undefined): Trace {
  const match = traceparent ? form.exec(traceparent) : null
  const spanId = randomHex(8)
  if (match?.[1] && !/^0+$/.test(match[1]) && !/^0+$/.test(match[2] ?? '') && !traceparent?.startsWith('ff')) {
    return { traceId: match[1], spanId, header: `00-${match[1]}-${spanId}-${match[3]}` }
  }
  const traceId = randomHex(16)
  return { traceId, spanId, header: `00-${traceId}-${spanId}-01` }
}

/** Random bytes are drawn in pages: one call to the kernel serves a few hundred requests. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
