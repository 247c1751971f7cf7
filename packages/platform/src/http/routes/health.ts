import type { Caller } from '@seaworthy/core'
import type { FastifyInstance } from 'fastify'
import type { Health, HealthReport } from '../../telemetry/index.ts'
import { dataPolicy, securityHeaders } from '../headers.ts'

export interface HealthRouteParts {
  readonly health: Health
  readonly identify: (token: string) => Caller | Promise<Caller>
  readonly details: () => Record<string, unknown>
  readonly isHttps: boolean
}

const noStore = (isHttps: boolean) => ({
  ...securityHeaders(isHttps),
  'content-security-policy': dataPolicy,
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
})

/** Live: the event loop turns. Ready: what this process cannot work without answers. Details are for operators. */
export function addHealthRoutes(server: FastifyInstance, parts: HealthRouteParts): void {
  const headers = noStore(parts.isHttps)
  for (const url of ['/health/live', '/live'])
    server.get(url, (_request, reply) => reply.headers(headers).send('{"status":"ok"}'))
  for (const url of ['/health', '/health/ready', '/ready', '/api/health']) {
    server.get(url, async (_request, reply) => {
      const { status } = await parts.health.report()
      return reply.code(codeOf(status)).headers(headers).send(JSON.stringify({ status }))
    })
  }
  server.get('/health/detailed', async (request, reply) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    const caller = await Promise.resolve()
      .then(() => parts.identify(token))
      .catch(() => undefined)
    if (!caller?.operator)
      return reply
        .code(caller ? 403 : 401)
        .headers(headers)
        .send(JSON.stringify({ status: 'refused', detail: 'This is for operators.' }))
    const report = await parts.health.report()
    return reply
      .code(codeOf(report.status))
      .headers(headers)
      .send(JSON.stringify({ ...report, ...parts.details() }))
  })
}

/** Degraded still takes requests: only a part that one can do without has failed. */
const codeOf = (status: HealthReport['status']): number => (status === 'failed' ? 503 : 200)
