import { createServer, type Server } from 'node:http'
import { mergeSnapshots } from '../telemetry/index.ts'

export interface AdminParts {
  readonly snapshots: () => Promise<readonly unknown[][]>
  readonly status: () => { readonly status: 'ok' | 'failed'; readonly [part: string]: unknown }
}

/** Metrics of all processes merged, and the state of each part. Bound to loopback: what stands in front decides who sees it. */
export async function startAdminServer(port: number, parts: AdminParts): Promise<Server> {
  const server = createServer(async (request, response) => {
    try {
      if (request.url === '/metrics' || request.url === '/health/metrics') {
        response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(await mergeSnapshots(await parts.snapshots()))
      } else if (request.url === '/health' || request.url === '/health/detailed') {
        const status = parts.status()
        response
          .writeHead(status.status === 'ok' ? 200 : 503, { 'content-type': 'application/json; charset=utf-8' })
          .end(JSON.stringify(status, null, 2))
      } else {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('/metrics and /health are here\n')
      }
    } catch {
      response.writeHead(500).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
  return server
}
