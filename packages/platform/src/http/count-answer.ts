import type { FastifyReply, FastifyRequest } from 'fastify'
import type { HttpParts } from './exchange.ts'

/** What answers are counted as that no route of an app gives: all pages are one series, and so are all files of them. */
type Counted = 'page' | 'asset'

/**
 * Counts the answer when it has left, beside those of the routes, which count their own. Never by its address: whoever asks
 * invents addresses.
 */
export function countAnswer(
  { method }: FastifyRequest,
  { raw }: FastifyReply,
  route: Counted,
  observe: HttpParts['observe'],
): void {
  const startedMs = performance.now()
  raw.once('finish', () =>
    observe({ method, route, status_code: String(raw.statusCode) }, (performance.now() - startedMs) / 1_000),
  )
}
