import { parseBytes, parseDuration, SECOND } from '@seaworthy/core'
import { describeSetting } from '@seaworthy/platform/config'
import { type App, addressOf, type Deployment, defaultDeployment, type Method } from '@seaworthy/platform/definition'
import { bounds, dataPolicy, securityHeaders, uploadsApp } from '@seaworthy/platform/http'
import { SOCKET_PATH } from '@seaworthy/platform/realtime'
import type { Place } from './places.ts'
import { type RedisUse, redisFor } from './redis.ts'
import { neighbours, type Size, type Sizes, scaling, sizes } from './sizes.ts'

/** A route that takes more than `http.jsonBytes`, or takes it as a stream. */
interface UploadRoute {
  readonly method: Method
  /** `/api/cosnap/photos`, with `{name}` where an address varies. */
  readonly address: string
  readonly maxBytes: number
}

const PROXY_KEEP_ALIVE_SECONDS = 4

/** Everything that a target is rendered from: plain values, taken from the definition of the system. */
export interface Description {
  /** Lower case; names images, units, namespaces and folders. */
  readonly name: string
  readonly title: string
  /** The name that people type: `app.example.com`. */
  readonly host: string
  /** Without tag: `registry.example.com/seaworthy`. */
  readonly image: string
  readonly version: string
  readonly licence: string
  /** Where the sources are, for the labels of the image. */
  readonly source: string
  readonly apps: readonly { readonly name: string; readonly title: string }[]
  /** `proxyHttp` and `proxyHttps` are those in a container, where nobody may take a port below 1024. */
  readonly ports: {
    readonly http: number
    readonly admin: number
    readonly database: number
    readonly redis: number
    readonly proxyHttp: number
    readonly proxyHttps: number
  }
  readonly http: {
    /** Largest JSON body, and largest body of every route that is not in `uploads`. */
    readonly jsonBytes: number
    readonly uploads: readonly UploadRoute[]
    /** A form around an upload adds so much at most. */
    readonly formBytes: number
    /** Longest time for a request to arrive. */
    readonly requestSeconds: number
    readonly headerBytes: number
    readonly headerSeconds: number
    /** The service keeps an idle connection so long; a proxy must let go of it earlier. */
    readonly keepAliveSeconds: number
    readonly proxyKeepAliveSeconds: number
    /** Longest time in which nothing of a body arrives. */
    readonly silenceSeconds: number
    /** What one network may ask for within a window of the service, which counts exactly. */
    readonly networkRequests: number
    /** Of every answer over https, as name and value. */
    readonly headers: Readonly<Record<string, string>>
    /** The policy of answers that are data. */
    readonly dataPolicy: string
    /** Where WebSockets are opened. */
    readonly sockets: string
    /** Addresses of files with a hash in their name: cached for a year. */
    readonly assets: string
  }
  readonly probes: { readonly live: string; readonly ready: string; readonly metrics: string }
  readonly shutdownSeconds: number
  readonly sizes: Readonly<Record<Place, Sizes>>
  readonly neighbours: Readonly<Record<keyof typeof neighbours, Size>>
  readonly redis: RedisUse
  readonly scaling: typeof scaling
}

export interface DescribedSystem {
  readonly apps: readonly App[]
  readonly deployment?: Partial<Deployment>
}

/** The definition of a system as the plain values that targets need. */
export function describe({ apps, deployment }: DescribedSystem, version: string): Description {
  return {
    ...defaultDeployment,
    ...deployment,
    version,
    licence: 'Apache-2.0',
    apps: apps.map(({ name, title }) => ({ name, title })),
    ports: { http: 3_000, admin: 3_001, database: 5_432, redis: 6_379, proxyHttp: 8_080, proxyHttps: 8_443 },
    http: {
      jsonBytes: parseBytes(describeSetting('MAX_REQUEST_SIZE').default) ?? 0,
      uploads: [uploadsApp(), ...apps].flatMap(uploadsOf),
      formBytes: bounds.formBytesMax,
      requestSeconds: secondsOf('REQUEST_TIMEOUT'),
      headerBytes: bounds.headerBytesMax,
      headerSeconds: bounds.headersMs / SECOND,
      keepAliveSeconds: bounds.keepAliveMs / SECOND,
      proxyKeepAliveSeconds: PROXY_KEEP_ALIVE_SECONDS,
      silenceSeconds: bounds.silenceMs / SECOND,
      networkRequests: Number(describeSetting('RATE_LIMIT_MAX').default) * bounds.callersPerNetwork,
      headers: securityHeaders(true),
      dataPolicy,
      sockets: SOCKET_PATH,
      assets: '/assets/',
    },
    probes: { live: '/health/live', ready: '/health/ready', metrics: '/metrics' },
    shutdownSeconds: secondsOf('SHUTDOWN_TIMEOUT'),
    sizes,
    neighbours,
    redis: redisFor(deployment?.name ?? defaultDeployment.name),
    scaling,
  }
}

const uploadsOf = (app: App): readonly UploadRoute[] =>
  app.routes.flatMap((route) => {
    const { body, method } = route
    const isUpload = body && 'kind' in body && (body.kind === 'photo' || body.kind === 'stream')
    return isUpload ? [{ method, address: addressOf(app, route), maxBytes: body.maxBytes }] : []
  })

const secondsOf = (setting: string): number => (parseDuration(describeSetting(setting).default) ?? 0) / SECOND
