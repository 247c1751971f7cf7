import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, Server as SecureServer } from 'node:https'
import multipart from '@fastify/multipart'
import { type AppError, type Clock, fault, newId, type Secret } from '@seaworthy/core'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { KeptAssets } from '../assets/index.ts'
import { type App, addressOf, type Route, renderOpenApi } from '../definition/index.ts'
import { clientAddress, networkKey } from '../limits/index.ts'
import type { MediaRoom } from '../media/index.ts'
import { type Health, maskAddress } from '../telemetry/index.ts'
import { bounds } from './bounds.ts'
import { callRoute } from './call-route.ts'
import type { CertificatePair } from './certificate.ts'
import { createDrainableAnswers } from './drain.ts'
import type { HttpParts, ServedRoute } from './exchange.ts'
import { dataPolicy, securityHeaders } from './headers.ts'
import { signOfUnknown } from './honey.ts'
import { planRoute } from './lifecycle.ts'
import { shedLoad } from './overload.ts'
import { createProblemAnswers, type ProblemAnswers } from './problem-answers.ts'
import { problemOf, toAppError } from './reply.ts'
import { renderDocsPage, renderErrorsPage } from './routes/docs-page.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addMediaRoutes } from './routes/media.ts'
import { addWebPages, pagePolicy, type WebPages } from './routes/web-pages.ts'
import { serve } from './serve.ts'
import { cutSlowReaders } from './slow-readers.ts'
import { suspected } from './stages/suspect.ts'
import { answerUpgrades } from './upgrades.ts'

export interface ServerSettings {
  readonly apps: readonly App[]
  readonly parts: HttpParts
  readonly health: Health
  readonly media: MediaRoom
  readonly mediaSecret: Secret
  readonly clock: Clock
  /** How long whoever asks now will wait for a database connection, in milliseconds. */
  readonly databaseWaitMs: () => number
  readonly webDirectory: string
  /** Files of the pages of other releases. */
  readonly keptAssets?: KeptAssets
  readonly version: string
  /** For whoever verifies our access tokens. */
  readonly publicKeys: () => Promise<object>
  /** Shown to operators. */
  readonly details: () => Record<string, unknown>
}

const CONNECTIONS_MAX = 20_000

/** TLS 1.2 with forward secrecy and authenticated encryption only; 1.3 has nothing else. */
const TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
  handshakeTimeout: bounds.headersMs,
} as const

export interface HoldingSettings {
  readonly requestMs: number
  readonly isHttps?: boolean
  /** With it the listener speaks TLS itself. */
  readonly certificate?: Pick<CertificatePair, 'cert' | 'key'> | undefined
}

/** A listener that holds the port before there is anything to serve: alive, and not ready. */
export function createHoldingServer({ requestMs, isHttps = false, certificate }: HoldingSettings): Server {
  const answers = createDrainableAnswers()
  const options = {
    ServerResponse: answers.Answer,
    headersTimeout: bounds.headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: bounds.keepAliveMs,
    maxHeaderSize: bounds.headerBytesMax,
    requireHostHeader: false,
    connectionsCheckingInterval: 2_000,
  }
  const server = certificate ? createSecureServer({ ...options, ...TLS, ...certificate }) : createServer(options)
  answers.attach(server)
  server.maxConnections = CONNECTIONS_MAX
  server.on('close', cutSlowReaders(server))
  server.on('request', (request, response) => hold(request, response, isHttps))
  return server
}

/** Connections that are open stay as they are; new ones are shown this certificate. */
export function showCertificate(server: Server, { cert, key }: Pick<CertificatePair, 'cert' | 'key'>): void {
  if (server instanceof SecureServer) server.setSecureContext({ ...TLS, cert, key })
}

function hold(request: IncomingMessage, response: ServerResponse, isHttps: boolean): void {
  const live = request.url === '/health/live' || request.url === '/live'
  response.writeHead(live ? 200 : 503, {
    ...securityHeaders(isHttps),
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'retry-after': '1',
  })
  response.end(
    JSON.stringify(
      live ? { status: 'ok' } : problemOf(fault('unavailable', { detail: 'The service is starting.' }), newId()),
    ),
  )
}

/** Everything that answers HTTP, on a server that listens already. */
export async function serveHttp(server: Server, settings: ServerSettings): Promise<FastifyInstance> {
  let route: RequestListener | undefined
  const problems = createProblemAnswers(settings.parts.settings.secureCookies)
  const app = fastify({
    serverFactory: (handler) => {
      route = handler
      return server
    },
    logger: false,
    exposeHeadRoutes: true,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 200 },
    clientErrorHandler: problems.refuse,
    frameworkErrors: (error, _request, reply) => void problems.send(reply, toAppError(error)),
  })
  app.addHook('onRequest', (request, _reply, done) => done(whyAmbiguous(request.raw)))
  // Bodies are read by our own stage, within each route's bounds.
  app.removeAllContentTypeParsers()
  await app.register(multipart, { throwFileSizeLimit: false })
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler((error, request, reply) => {
    const problem = toAppError(error)
    if (problem.status >= 500)
      settings.parts.log.error('a service route failed', {
        runbook: 'requests-fail',
        error,
        path: request.routeOptions.url,
      })
    return problems.send(reply, problem)
  })
  const parts: HttpParts = { ...settings.parts, call: (exchange, ask) => callRoute(app, exchange, ask) }
  for (const owner of settings.apps) for (const route of owner.routes) addRoute(app, owner, route, parts)
  addHealthRoutes(app, {
    health: settings.health,
    identify: settings.parts.identity.identify,
    details: settings.details,
    isHttps: settings.parts.settings.secureCookies,
  })
  addMediaRoutes(app, {
    room: settings.media,
    secret: settings.mediaSecret,
    clock: settings.clock,
    log: settings.parts.log,
  })
  addDocs(app, settings)
  addPublicKeys(app, settings)
  const pages = await addWebPages(app, {
    directory: settings.webDirectory,
    observe: settings.parts.observe,
    isHttps: settings.parts.settings.secureCookies,
    ...(settings.keptAssets ? { kept: settings.keptAssets } : {}),
  })
  app.setNotFoundHandler((request, reply) => answerUnknown(request, reply, { pages, problems, parts: settings.parts }))
  addPreflight(app, settings, problems)
  await app.ready()
  // Only now: a request before would find a router that is not finished.
  server.removeAllListeners('request')
  if (route)
    server.on(
      'request',
      shedLoad(route, {
        databaseWaitMs: settings.databaseWaitMs,
        log: settings.parts.log,
        metrics: settings.parts.metrics,
        isHttps: settings.parts.settings.secureCookies,
      }),
    )
  answerUpgrades(server, problems.headers)
  return app
}

/** Ours are checked by stages of our own: what fastify loads for its own is a twentieth of the start of a process. */
const noSchemas = (): never => {
  throw new Error('routes declare what they take and give in their definition, and no schema of fastify')
}

/** No Host header, or two, or a NUL in the address: a proxy and we might read the request differently. */
function whyAmbiguous({ rawHeaders, url }: IncomingMessage): AppError | undefined {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts !== 1) return fault('malformed_request', { detail: 'The request must name exactly one host.' })
  if (url?.includes('%00')) return fault('malformed_request', { detail: 'The address holds a NUL character.' })
  return undefined
}

function addRoute(app: FastifyInstance, owner: App, route: Route, parts: HttpParts): void {
  const served: ServedRoute = planRoute(owner, route, parts.settings)
  app.route({
    method: route.method,
    url: addressOf(owner, route).replace(/\{([^}]+)\}/g, ':$1'),
    handler: serve(served, parts),
  })
}

function addDocs(app: FastifyInstance, settings: ServerSettings): void {
  const openApi = JSON.stringify(renderOpenApi(settings.apps, settings.version))
  const headers = { ...securityHeaders(settings.parts.settings.secureCookies), 'cache-control': 'public, max-age=60' }
  app.get('/openapi.json', (_request, reply) =>
    reply
      .headers({ ...headers, 'content-security-policy': dataPolicy, 'content-type': 'application/json; charset=utf-8' })
      .send(openApi),
  )
  for (const [url, html] of [
    ['/docs', renderDocsPage(settings.apps)],
    ['/docs/errors', renderErrorsPage()],
  ] as const) {
    app.get(url, (_request, reply) =>
      reply
        .headers({
          ...headers,
          'content-security-policy': pagePolicy(html),
          'content-type': 'text/html; charset=utf-8',
        })
        .send(html),
    )
  }
}

function addPublicKeys(app: FastifyInstance, { publicKeys, parts }: ServerSettings): void {
  const headers = {
    ...securityHeaders(parts.settings.secureCookies),
    'content-security-policy': dataPolicy,
    'content-type': 'application/jwk-set+json; charset=utf-8',
    'cache-control': 'public, max-age=60',
  }
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply.headers(headers).send(JSON.stringify(await publicKeys())),
  )
}

interface UnknownParts {
  readonly pages: WebPages
  readonly problems: ProblemAnswers
  readonly parts: HttpParts
}

/** An unknown address: the shell for a person who navigates, a problem for a program. `/` is there for whoever takes anything. */
function answerUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  { pages, problems, parts }: UnknownParts,
): FastifyReply {
  const accept = request.headers.accept ?? '*/*'
  const isStart = /^\/(\?|$)/.test(request.url)
  const navigates =
    (request.method === 'GET' || request.method === 'HEAD') &&
    (accept.includes('text/html') || (isStart && accept.includes('*/*')))
  const reserved = /^\/(api|media|assets|socket|health|metrics)(\/|\?|$)/.test(request.url)
  const sign = signOfUnknown(request.url)
  if (navigates && !reserved && sign !== 'honey') return pages.send(request, reply)
  const address = clientAddress(
    request.raw.socket.remoteAddress,
    request.headers['x-forwarded-for'] as string | undefined,
    parts.settings.trustedProxies,
  )
  const network = networkKey(address)
  const waitSeconds = parts.suspicion.waitSeconds('network', network)
  if (waitSeconds > 0) return problems.send(reply, suspected(waitSeconds))
  if (sign) parts.suspicion.note({ kind: 'network', key: network, shown: maskAddress(address) }, sign)
  return problems.send(reply, fault('not_found'))
}

const PREFLIGHT_SECONDS = 600

/** CORS preflight for the sites that are on the list; everybody else learns nothing. */
function addPreflight(app: FastifyInstance, settings: ServerSettings, problems: ProblemAnswers): void {
  app.options('/api/*', (request, reply) => {
    const origin = request.headers.origin ?? ''
    if (!settings.parts.settings.allowedOrigins.includes(origin)) return problems.send(reply, fault('origin_refused'))
    return reply
      .code(204)
      .headers({
        ...securityHeaders(settings.parts.settings.secureCookies),
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers':
          'authorization, content-type, idempotency-key, prefer, seaworthy-position, traceparent, x-request-id',
        'access-control-max-age': String(PREFLIGHT_SECONDS),
      })
      .send()
  })
}
