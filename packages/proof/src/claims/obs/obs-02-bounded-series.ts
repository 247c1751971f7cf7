import { Agent, request } from 'node:http'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const REQUESTS = 10_000
const SIDE_BY_SIDE = 40
const METHODS = ['GET', 'GET', 'GET', 'POST', 'DELETE', 'HEAD', 'PUT', 'OPTIONS', 'PATCH']

export const claim = defineClaim({
  id: 'OBS-02',
  says: 'Ten thousand invented addresses, queries and browsers add no time series: labels come from the routes that exist, and all pages and files are two more',
  answers: ['O4', 'ASVS 16.2.4'],
  witness: 'the metrics as Prometheus reads them',
  tier: 'full',
  seconds: 8,
  limits: {
    'time series': atMost(5_000, 'series'),
    'routes in labels that do not exist': exactly(0, 'routes'),
    'labels with something of the sender': exactly(0, 'labels'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const routes = await routesOf(stack)
    const known = [...routes, 'page', 'asset']
    const random = (): string => Math.floor(rig.random() * 2 ** 40).toString(36)
    const ask = invent(routes, random, person.token)
    const agent = new Agent({ keepAlive: true, maxSockets: SIDE_BY_SIDE })
    rig.defer(() => agent.destroy())
    let sent = 0
    const unanswered: string[] = []
    const lane = async (): Promise<void> => {
      while (sent < REQUESTS) {
        const asked = ask(sent++)
        const trouble = await send(stack.port, agent, asked)
        if (trouble) unanswered.push(`${asked.method} ${asked.path}: ${trouble}`)
      }
    }
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
    const lines = (await (await fetch(`${stack.adminUrl}/metrics`)).text())
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
    const seen = new Set(
      lines.map((line) => /\broute="([^"]*)"/.exec(line)?.[1]).filter((route) => route !== undefined),
    )
    const invented = [...seen].filter((route) => !known.includes(route))
    const ofSender = lines.filter((line) => line.includes('hostile'))
    return {
      measured: {
        'time series': lines.length,
        'routes in labels that do not exist': invented.length,
        'labels with something of the sender': ofSender.length,
      },
      met: {
        'all requests were answered': unanswered.length === 0,
        'routes were counted': seen.size >= 3,
        'more was counted than routes of apps': [...seen].some((route) => !routes.includes(route)),
      },
      evidence: [
        `${seen.size} of ${known.length} routes in labels`,
        ...invented.slice(0, 5),
        ...ofSender.slice(0, 5),
        ...unanswered.slice(0, 20),
      ],
    }
  },
  sabotages: [
    patch(
      'the label is the address that was asked for',
      'packages/platform/src/http/reply.ts',
      'observe({ method, route: exchange.served.template,',
      'observe({ method, route: exchange.request.url,',
    ),
    patch(
      'pages are counted by the address that was asked for',
      'packages/platform/src/http/count-answer.ts',
      'observe({ method, route, status_code',
      'observe({ method, route: raw.req.url ?? route, status_code',
    ),
    patch(
      'the label holds who asked',
      'packages/platform/src/http/reply.ts',
      'observe({ method, route: exchange.served.template,',
      "observe({ method, route: exchange.served.template + (exchange.incoming.headers['user-agent'] ?? ''),",
    ),
  ],
})

/** As the service documents them. */
async function routesOf(stack: Stack): Promise<string[]> {
  const { paths } = (await (await fetch(`${stack.url}/openapi.json`)).json()) as { paths: Record<string, unknown> }
  return Object.keys(paths)
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** By turns: pages and files that nobody has, true routes with invented ids, and queries; each from a browser of its own. */
function invent(known: readonly string[], random: () => string, token: string): (i: number) => Asked {
  return (i) => {
    const route = (known[i % known.length] ?? '/').replace(/\{[^}]+\}/g, () => `hostile-${random()}`)
    const path =
      [
        `/hostile-${random()}/${random()}`,
        route,
        `${route}?hostile=${random()}`,
        `/assets/hostile-${random()}.js`,
        `/api/hostile-${random()}`,
      ][i % 5] ?? '/'
    // Signing out would end the session that asks.
    const method = path.includes('/identity/') ? 'GET' : (METHODS[i % METHODS.length] ?? 'GET')
    const headers = {
      'user-agent': `hostile-${random()}`,
      'x-request-id': `hostile-${random()}`,
      ...(i % 2 ? { accept: 'text/html' } : {}),
    }
    return { method, path, headers: i % 3 ? { ...headers, authorization: `Bearer ${token}` } : headers }
  }
}

/** What went wrong, if anything. */
function send(port: number, agent: Agent, { method, path, headers }: Asked): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({ port, host: '127.0.0.1', agent, method, path, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(undefined))
      answer.once('error', (error) => resolve(error.message))
    })
    outgoing.once('error', (error) => resolve(error.message))
    outgoing.end()
  })
}
