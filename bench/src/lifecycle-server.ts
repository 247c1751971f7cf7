/** One of the servers that `lifecycle.ts` compares; tells its address and goes on until it is killed. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Caller } from '@seaworthy/core'
import { defineApp, rate, route } from '@seaworthy/platform/definition'
import { createHoldingServer, serveHttp } from '@seaworthy/platform/http'
import { createMemoryLimiter, createSuspicion } from '@seaworthy/platform/limits'
import {
  createHealth,
  createLogger,
  createMetrics,
  createPseudonyms,
  durationBuckets,
} from '@seaworthy/platform/telemetry'
import cors from 'cors'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import jsonwebtoken from 'jsonwebtoken'
import client from 'prom-client'
import winston from 'winston'
import { z } from 'zod'

const secret = 'a secret for measurements only, thirty-two bytes'
const payload = { id: 'boat-42', name: 'Nutshell', length: 7 }
const query = z.strictObject({ unit: z.enum(['m', 'ft']) })
const MANY = 1_000_000_000
const caller = {
  userId: 'u',
  accountId: 'a',
  role: 'owner',
  sessionId: 's',
  authenticatedAtMs: 0,
  secondFactor: false,
  operator: false,
}

async function startNode(): Promise<number> {
  const body = JSON.stringify(payload)
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return (server.address() as AddressInfo).port
}

/** Access tokens as the product makes and checks them, with a key of the bench. */
async function openTokens() {
  const built = new URL('../../packages/platform/dist/identity/access-tokens.js', import.meta.url)
  const { createAccessTokens } = (await import(
    built.href
  )) as typeof import('../../packages/platform/src/identity/access-tokens.ts')
  const key = { id: 'bench', ...generateKeyPairSync('ed25519') }
  const keys = { current: () => key, find: async () => key, has: () => true }
  const tokens = createAccessTokens({ keys, lifeMs: 3_600_000, clock: { now: Date.now } })
  const identify = (text: string): Caller | Promise<Caller> => {
    const known = tokens.verify(text)
    return known instanceof Promise ? known.then((verified) => verified.caller) : known.caller
  }
  return { identify, issue: tokens.issue }
}

/** An app of one route. */
function boatsApp() {
  return defineApp({
    name: 'boats',
    title: 'Boats',
    routes: [
      route({
        name: 'boats.get',
        method: 'GET',
        path: '/boats/{id}',
        summary: 'A boat',
        auth: 'viewer',
        limit: rate('boats.general', MANY, 60_000),
        transaction: 'none',
        params: z.strictObject({ id: z.string().max(40) }),
        query,
        reply: { 200: z.object({ id: z.string(), name: z.string(), length: z.number() }) },
        handle: async () => ({ status: 200 as const, body: payload }),
      }),
    ],
  })
}

async function startSeaworthy(): Promise<number> {
  const { Secret, systemClock } = await import('@seaworthy/core')
  const { identify, issue } = await openTokens()
  const metrics = createMetrics()
  const log = createLogger({ level: 'info', process: 'web' })
  const server = createHoldingServer({ requestMs: 60_000 })
  await serveHttp(server, {
    apps: [boatsApp()],
    parts: {
      database: {} as never,
      media: {} as never,
      flags: {} as never,
      ai: {} as never,
      vault: {} as never,
      limiter: createMemoryLimiter(systemClock),
      metrics,
      suspicion: createSuspicion({ mode: 'limit', clock: systemClock, log, metrics }),
      log,
      identity: { identify } as never,
      pseudonym: createPseudonyms(new Secret(secret), systemClock),
      observe: metrics.histogram(
        'http_request_duration_seconds',
        'x',
        ['method', 'route', 'status_code'],
        durationBuckets,
      ),
      settings: {
        publicUrl: 'http://localhost',
        allowedOrigins: ['https://friend.example'],
        trustedProxies: 0,
        jsonBytesMax: 1_000_000,
        networkRate: { max: MANY, windowMs: 60_000 },
        process: 'web',
        secureCookies: false,
        cursorSecret: new Secret('a secret of the bench, of some length'),
        secondFactorFor: 'nobody',
      },
    },
    health: createHealth(),
    media: {} as never,
    mediaSecret: new Secret(secret),
    clock: systemClock,
    databaseWaitMs: () => 0,
    webDirectory: '/nowhere',
    version: 'bench',
    publicKeys: async () => ({}),
    details: () => ({}),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  token = (await issue({ caller: caller as unknown as Caller, version: 0 })).token
  return (server.address() as AddressInfo).port
}

function startExpress(): Promise<number> {
  const log = winston.createLogger({
    level: 'info',
    format: winston.format.json(),
    transports: [new winston.transports.Console()],
  })
  const histogram = new client.Histogram({
    name: 'http_request_duration_seconds',
    help: 'x',
    labelNames: ['method', 'route', 'status_code'],
  })
  const app = express()
  app.use(helmet(), cors({ origin: ['https://friend.example'], credentials: true }), express.json({ limit: '10mb' }))
  app.use(rateLimit({ windowMs: 60_000, limit: MANY, standardHeaders: true, legacyHeaders: false }))
  app.use((request, response, next) => {
    const end = histogram.startTimer()
    response.on('finish', () => {
      end({ method: request.method, route: request.route?.path ?? 'unknown', status_code: String(response.statusCode) })
      log.info('request', { method: request.method, url: request.url, status: response.statusCode, ip: request.ip })
    })
    next()
  })
  app.get('/api/boats/boats/:id', (request, response) => {
    try {
      jsonwebtoken.verify((request.headers.authorization ?? '').slice(7), secret)
      query.parse(request.query)
      response.json(payload)
    } catch {
      response.status(401).json({ error: 'refused' })
    }
  })
  token = jsonwebtoken.sign(caller, secret, { expiresIn: '1h' })
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

let token = ''
const starters = { node: startNode, seaworthy: startSeaworthy, express: startExpress }
const port = await starters[process.argv[2] as keyof typeof starters]()
process.send?.({
  url: `http://127.0.0.1:${port}/api/boats/boats/boat-42?unit=m`,
  headers: { authorization: `Bearer ${token}` },
})
