import { createRequire } from 'node:module'
import type { Rig } from './rig.ts'

interface Route {
  readonly src?: string
  readonly dest?: string
  readonly handle?: string
  readonly continue?: boolean
  readonly headers?: Readonly<Record<string, string>>
}
interface RoutingUtils {
  getTransformedRoutes(configuration: object): { routes: readonly Route[] | null; error: { message: string } | null }
}

/** What becomes of a request: a file with these headers, or another address that is asked. */
interface Routed {
  readonly file: boolean
  readonly destination: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

export interface Edge {
  /** What Vercel objects to in the configuration. */
  readonly error: string | undefined
  route(address: string): Routed
}

/** A network that reads `vercel.json`: Vercel's own compiler makes the routes, and these are taken one after the other. */
export function openEdge(rig: Rig, configuration: object, isFile: (path: string) => boolean): Edge {
  const { getTransformedRoutes } = createRequire(import.meta.url)(rig.program('routing-utils')) as RoutingUtils
  const { routes, error } = getTransformedRoutes(configuration)
  return { error: error?.message, route: (address) => follow(routes ?? [], new URL(address, edgeAddress), isFile) }
}

const edgeAddress = 'https://edge.invalid'

function follow(routes: readonly Route[], url: URL, isFile: (path: string) => boolean): Routed {
  const headers: Record<string, string> = {}
  for (const route of routes) {
    if (route.handle === 'filesystem' && isFile(url.pathname)) return { file: true, destination: undefined, headers }
    const match = route.src ? new RegExp(route.src).exec(url.pathname) : null
    if (!match) continue
    Object.assign(headers, lowerCased(route.headers ?? {}))
    if (route.dest && !route.continue)
      return { file: false, destination: filledIn(route.dest, match) + url.search, headers }
  }
  return { file: false, destination: undefined, headers }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** `$1` is what the first parenthesis of the route took; what follows a `?` is passed on besides. */
const filledIn = (destination: string, match: RegExpExecArray): string =>
  destination.replace(/\$(\d)/g, (_, index) => match[Number(index)] ?? '')
