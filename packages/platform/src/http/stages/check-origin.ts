import { fault } from '@seaworthy/core'
import type { Before, Exchange } from '../exchange.ts'

/**
 * CORS by exact list, and the refusal of changes that another site's page sends with our cookies. A request without
 * an Origin comes from no page.
 */
export const checkOrigin: Before = (exchange) => {
  const origin = exchange.incoming.headers.origin
  if (origin === undefined) return undefined
  if (isOwnOrigin(origin, exchange)) return undefined
  if (exchange.parts.settings.allowedOrigins.includes(origin)) {
    exchange.corsOrigin = origin
    return undefined
  }
  if (exchange.served.route.method !== 'GET')
    throw fault('origin_refused', { internal: `origin ${origin.slice(0, 100)}` })
  return undefined
}

function isOwnOrigin(origin: string, { incoming, parts }: Exchange): boolean {
  return origin === new URL(parts.settings.publicUrl).origin || originHost(origin) === incoming.headers.host
}

const originHost = (origin: string): string => origin.replace(/^https?:\/\//, '')
