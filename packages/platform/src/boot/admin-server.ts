import { createServer, type Server, type ServerResponse } from 'node:http'
import { mergeSnapshots } from '../telemetry/index.ts'

export interface AdminParts {
  readonly snapshots: () => Promise<readonly unknown[][]>
  readonly status: () => { readonly status: 'ok' | 'failed'; readonly [part: string]: unknown }
}

/**
 * Metrics of all processes merged, and the state of each part. Answers from the first moment on, long before anything is
 * ready. On loopback unless ADMIN_HOST or ADMIN_SOCKET say otherwise: what stands in front decides who sees it.
 */
export async function startAdminServer(
  address: { readonly host: string; readonly port: number } | { readonly path: string },
  parts: AdminParts,
): Promise<Server> {
  const server = createServer((request, response) => {
    void answer((request.url ?? '').split('?', 1)[0] ?? '', response, parts).catch(() => response.writeHead(500).end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => resolve())
  })
  return server
}

async function answer(path: string, response: ServerResponse, parts: AdminParts): Promise<void> {
  if (path === '/metrics' || path === '/health/metrics')
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      .end(await mergeSnapshots(await parts.snapshots()))
  else if (path === '/health/live') sendJson(response, 200, { status: 'ok' })
  else if (path === '/health/ready') {
    const { status } = parts.status()
    sendJson(response, codeOf(status), { status })
  } else if (path === '/health' || path === '/health/detailed') {
    const all = parts.status()
    sendJson(response, codeOf(all.status), all)
  } else response.writeHead(404, { 'content-type': 'text/plain' }).end('/metrics and /health are here\n')
}

const codeOf = (status: 'ok' | 'failed'): number => (status === 'ok' ? 200 : 503)

function sendJson(response: ServerResponse, code: number, body: object): void {
  response
    .writeHead(code, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    .end(JSON.stringify(body, null, 2))
}
