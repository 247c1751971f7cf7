import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { documentedRoutes } from '../../rig/api-document.ts'
import { documentedLimits } from '../../rig/documented-limits.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { bytesReadBy } from '../../rig/pour.ts'
import {
  type Asked,
  adapt,
  allOf,
  complaintsOf,
  type RenderedNginx,
  renderedHost,
  renderTo,
  startRenderedNginx,
} from '../../rig/rendered-nginx.ts'
import type { Rig } from '../../rig/rig.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const KiB = 1_024
const MiB = 1_024 * KiB
const JSON_MAX = MiB
/** Far beyond a limit: nginx refuses it by itself. */
const FAR = 256 * KiB
const UPLOAD = '/api/uploads/{id}'
/** Sent of an upload before the rest is. */
const FIRST = 256 * KiB
/** Of one network in a window; nginx must let more through. */
const NETWORK_MAX = 1_000

export const claim = defineClaim({
  id: 'CON-09',
  says: 'The rendered nginx has no complaint, takes bodies and requests by the numbers of the service, passes uploads on while they come, shows no private address and believes no forwarding header; what it answers itself looks as if the service had said it',
  answers: ['X5', 'H2', 'H9', 'ASVS 4.1.3', 'ASVS 4.3.2'],
  witness: 'nginx -t, raw requests over TLS, the kernel: bytes read by the process',
  needs: ['nginx', 'openssl'],
  tier: 'full',
  seconds: 30,
  limits: {
    'complaints of nginx -t': exactly(0, 'complaints'),
    'bodies at a limit that were refused for their size': exactly(0, 'bodies'),
    'bodies beyond a limit without 413 and words': exactly(0, 'bodies'),
    'read of an upload before the rest of it was sent': atLeast(FIRST / KiB, 'KiB'),
    'WebSockets opened': exactly(1, 'sockets'),
    'private addresses answered': exactly(0, 'addresses'),
    'forwarding headers of a caller that arrive': exactly(0, 'headers'),
    'requests refused by nginx before the service refuses': exactly(0, 'requests'),
    'headers that nginx lacks or doubles beside the service': exactly(0, 'headers'),
  },
  experiment: async (rig) => {
    const rendered = await renderTo(rig, 'nginx')
    const complaints = await complaintsOfAll(rig, rendered)
    const stack = await rig.start({ environment: settings })
    const nginx = await startRenderedNginx(rig, stack.port, rendered)
    const person = await stack.newcomer()
    const operator = await stack.operator()
    const bodies = await sendBodies(stack.url, nginx, person)
    const [web = 0] = await stack.pids('web')
    const early = await readEarly(nginx, web, person)
    const sockets = [await statusOfSocket(nginx, '/socket/?EIO=4&transport=websocket')].filter(
      (status) => status === 101,
    )
    const asOperator = { headers: { authorization: `Bearer ${operator.token}` } }
    const hidden = await Promise.all(['/metrics', '/health/detailed'].map((path) => nginx.ask(path, asOperator)))
    const direct = await operator.fetch('/health/detailed')
    const arrived = await forwardingHeaders(rig, rendered)
    const { refused, byNginx } = await untilRefused(nginx)
    const ofService = await nginx.ask('/api/nothing-is-here')
    const page = await nginx.ask('/')
    await stack.stop()
    const [problem, ownPage] = [await nginx.ask('/api/nothing-is-here'), await nginx.ask('/')]
    const differing = [...differingHeaders(ofService, problem), ...differingHeaders(page, ownPage)]
    const small = bodies.filter(({ over }) => over <= 0)
    const large = bodies.filter(({ over }) => over > 0)
    const wrong = { small: small.filter(({ answer }) => answer.status === 413), large: large.filter(isUnlike413) }
    return {
      measured: {
        'complaints of nginx -t': complaints.length,
        'bodies at a limit that were refused for their size': wrong.small.length,
        'bodies beyond a limit without 413 and words': wrong.large.length,
        'read of an upload before the rest of it was sent': early / KiB,
        'WebSockets opened': sockets.length,
        'private addresses answered': hidden.filter(({ status }) => status !== 404).length,
        'forwarding headers of a caller that arrive': arrived.length,
        'requests refused by nginx before the service refuses': byNginx,
        'headers that nginx lacks or doubles beside the service': differing.length,
      },
      met: {
        'every upload and JSON was sent at, beyond and far beyond its limit': bodies.length >= 9,
        'details are there for an operator who asks the service itself': direct.status === 200,
        'a network asked until it was refused': refused + byNginx > 0,
        'nginx answered for the service': problem.status === 502 && ownPage.status === 502,
      },
      evidence: [
        ...complaints,
        ...bodies.map(({ name, over, answer }) => `${name}, ${over} bytes beyond its limit: ${answer.status}`),
        `${refused} requests refused by the service`,
        ...arrived,
        ...differing,
      ],
    }
  },
  sabotages: [
    patch(
      'every body may have a megabyte',
      'packages/ops/src/targets/nginx/locations.ts',
      '`client_max_body_size ${maxBytes + http.formBytes + SLACK_BYTES}`',
      "'client_max_body_size 1m'",
    ),
    patch(
      'what the caller says of its address is passed on',
      'packages/ops/src/targets/nginx/server.ts',
      "'proxy_set_header X-Forwarded-For $remote_addr'",
      "'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for'",
    ),
    patch(
      'bodies are collected first',
      'packages/ops/src/targets/nginx/server.ts',
      "'proxy_request_buffering off'",
      "'proxy_request_buffering on'",
    ),
    patch(
      'own answers have no policy',
      'packages/ops/src/targets/nginx/own-answers.ts',
      "'content-security-policy': policy,",
      '',
    ),
    patch(
      'nginx counts more strictly than the service',
      'packages/ops/src/targets/nginx/server.ts',
      'burst=${2 * http.networkRequests} nodelay',
      'burst=20 nodelay',
    ),
  ],
})

const settings = { ...documentedLimits, TRUSTED_PROXIES: '1', PUBLIC_URL: `https://${renderedHost}` }

async function complaintsOfAll(rig: Rig, rendered: string): Promise<string[]> {
  const complaints: string[] = []
  for (const name of ['host', 'compose', 'development']) {
    const { file } = await adapt(rig, join(rendered, 'nginx', `${name}.conf`), 9)
    complaints.push(...(await complaintsOf(rig, file)))
  }
  return complaints
}

interface SentBody {
  readonly name: string
  readonly over: number
  readonly answer: Asked
}

/** One at each limit, one a byte beyond, one far beyond. */
async function sendBodies(url: string, nginx: RenderedNginx, person: Person): Promise<SentBody[]> {
  const uploads = (await documentedRoutes(url)).flatMap(({ method, path, operation }) => {
    const limit = operation.requestBody?.content['application/octet-stream']?.schema.maxLength
    return limit ? [{ method, path, limit, type: 'application/octet-stream' }] : []
  })
  const json = { method: 'POST', path: '/api/cosnap/runs', limit: JSON_MAX, type: 'application/json' }
  const sent: SentBody[] = []
  for (const { method, path, limit, type } of [json, ...uploads])
    for (const over of [0, 1, FAR]) {
      const headers = {
        authorization: `Bearer ${person.token}`,
        'content-type': type,
        'idempotency-key': `body-of-${limit + over}`,
      }
      const address = path === UPLOAD ? `/api/uploads/${await beginUpload(person, limit)}?offset=0` : path
      const body = new Uint8Array(limit + over).fill(0x20)
      sent.push({ name: `${method} ${path}`, over, answer: await nginx.ask(address, { method, headers, body }) })
    }
  return sent
}

const beginUpload = async (person: Person, bytes: number): Promise<string> =>
  (await person.json<{ id: string }>('/api/uploads', jsonBody({ bytes }))).id

const isUnlike413 = ({ answer }: SentBody): boolean =>
  answer.status !== 413 ||
  !allOf(answer, 'content-type')[0]?.startsWith('application/problem+json') ||
  !answer.body.includes('"code":"payload_too_large"')

/** What the process has read of an upload of which only the beginning was sent. */
async function readEarly(nginx: RenderedNginx, pid: number, person: Person): Promise<number> {
  const socket = connect(nginx.target)
  socket.on('error', () => undefined)
  const before = bytesReadBy(pid)
  const head = [
    'POST /api/cosnap/photos HTTP/1.1',
    `Host: ${renderedHost}`,
    `Authorization: Bearer ${person.token}`,
    'Content-Type: image/jpeg',
    `Content-Length: ${4 * FIRST}`,
  ]
  // The beginning of a JPEG.
  const first = Buffer.alloc(FIRST, 0x20)
  first.set([0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10])
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  socket.write(first)
  const read = (): number => bytesReadBy(pid) - before
  await until('the process reads the upload', () => read() >= FIRST, 4_000).catch(() => undefined)
  const early = read()
  socket.destroy()
  return early
}

/** Of the answer to an offer of WebSocket. */
function statusOfSocket(nginx: RenderedNginx, path: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(nginx.target)
    const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
    const key = 'Sec-WebSocket-Key: c2VhbGVkIGluIGEgYm90dA=='
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${renderedHost}\r\n${[...lines, key].join('\r\n')}\r\n\r\n`)
    socket.once('data', (data) => {
      socket.destroy()
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(String(data))?.[1] ?? 0))
    })
    socket.once('error', () => resolve(0))
    socket.setTimeout(5_000, () => socket.destroy())
    socket.once('close', () => resolve(0))
  })
}

const forged: Readonly<Record<string, string>> = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'gopher',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9',
}

/** What of it stands in the request that nginx sends on. */
async function forwardingHeaders(rig: Rig, rendered: string): Promise<string[]> {
  const server = createServer((request, response) => response.end(JSON.stringify(request.headers)))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  rig.defer(() => server.close())
  const nginx = await startRenderedNginx(rig, (server.address() as AddressInfo).port, rendered)
  const { body } = await nginx.ask('/api/echo', { headers: forged })
  const arrived = JSON.parse(body) as Record<string, string>
  return Object.entries(forged).flatMap(([name, value]) =>
    arrived[name]?.includes(value) ? [`${name}: ${arrived[name]}`] : [],
  )
}

/** Asks until the service refuses this network, all at once as far as a browser would. */
async function untilRefused(nginx: RenderedNginx): Promise<{ refused: number; byNginx: number }> {
  const AT_ONCE = 50
  let [refused, byNginx] = [0, 0]
  for (let asked = 0; asked < NETWORK_MAX + AT_ONCE && byNginx === 0; asked += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => nginx.ask('/api/identity/me')))
    for (const answer of answers.filter(({ status }) => status === 429)) {
      // The service says how many there may be.
      if (/At most \d+/.test(answer.body)) refused++
      else byNginx++
    }
    if (refused > 0) break
  }
  return { refused, byNginx }
}

/** Security headers that the one has and the other lacks or has twice. */
function differingHeaders(service: Asked, own: Asked): string[] {
  const wanted = service.headers.map(([name]) => name).filter((name) => isProtective.test(name))
  return wanted.filter((name) => allOf(own, name).length !== 1 || allOf(service, name).length !== 1)
}

const isProtective =
  /^(strict-transport|content-security|x-content-type|x-frame|x-permitted|referrer|permissions|cross-origin|cache-control)/
