import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { Rig } from '../../rig/rig.ts'
import { runIn } from '../../rig/scan-tools.ts'
import type { Stack } from '../../rig/stack.ts'
import { type Edge, openEdge } from '../../rig/vercel.ts'
import { patch } from '../../sabotage.ts'

const publicUrl = 'https://app.example.com'
/** Of every kind that the service has: pages, an address nobody has, API, events, media, documents, probes. */
const addresses = [
  '/',
  '/sign-in',
  '/cosnap/gallery?sort=new',
  '/no/such/page',
  '/docs',
  '/openapi.json',
  '/favicon.svg',
  '/api/identity/me',
  '/api/cosnap/effects?fields=id',
  '/socket/?EIO=4&transport=polling',
  '/media/nothing?until=1',
  '/health/ready',
  '/assets/of-another-release-00000000.js',
]
/** Of an answer, what somebody would notice if it came from elsewhere. */
const telling = ['content-type', 'content-security-policy', 'cache-control', 'strict-transport-security', 'location']
/** These differ with how bytes are carried, not with what is said. */
const carried =
  /^(date|etag|vary|last-modified|content-(length|encoding|type)|accept-ranges|connection|keep-alive|transfer-encoding|x-request-id|traceparent)$/

/** The fields of docs.railway.com/config-as-code/reference, with the kinds that its parser takes. */
const railwayFields: Readonly<Record<string, string>> = {
  'build.builder': 'string',
  'build.dockerfilePath': 'string',
  'deploy.preDeployCommand': 'object',
  'deploy.healthcheckPath': 'string',
  'deploy.healthcheckTimeout': 'number',
  'deploy.overlapSeconds': 'number',
  'deploy.drainingSeconds': 'number',
  'deploy.restartPolicyType': 'string',
  'deploy.restartPolicyMaxRetries': 'number',
}

export const claim = defineClaim({
  id: 'CON-11',
  says: 'Led by vercel.json, every request gets what our own server gives, assets from the edge with the same headers; railway.json has only fields that Railway documents (neither platform ran here)',
  answers: ['X10', 'ASVS 13.4.7'],
  witness: "Vercel's own compiler of routes; the built product",
  needs: ['routing-utils'],
  tier: 'full',
  seconds: 12,
  limits: {
    'faults that Vercel finds': exactly(0, 'faults'),
    'requests that reach something else': exactly(0, 'requests'),
    'headers of assets that differ': exactly(0, 'headers'),
    'assets that the edge has': atLeast(1, 'assets'),
    'fields that Railway does not know': exactly(0, 'fields'),
    'health checks that fail': exactly(0, 'checks'),
  },
  experiment: async (rig) => {
    const { vercel, railway } = await render(rig)
    const assets = readdirSync(join(rig.product, 'web', 'dist', 'assets')).map((name) => `/assets/${name}`)
    const edge = openEdge(rig, vercel, (path) => assets.includes(path))
    const service = await rig.start({ environment: { PUBLIC_URL: publicUrl } })
    const lost = await lostRequests(edge, service)
    const sample = assets.filter((path) => /\.(js|css|woff2)$/.test(path)).slice(0, 6)
    const differ = (await Promise.all(sample.map((path) => differingHeaders(edge, service, path)))).flat()
    const unknown = unknownFields(railway)
    const health = await fetch(service.url + fieldOf(railway, 'deploy.healthcheckPath'))
    return {
      measured: {
        'faults that Vercel finds': edge.error ? 1 : 0,
        'requests that reach something else': lost.length,
        'headers of assets that differ': differ.length,
        'assets that the edge has': sample.filter((path) => edge.route(path).file).length,
        'fields that Railway does not know': unknown.length,
        'health checks that fail': health.status === 200 ? 0 : 1,
      },
      met: {
        'the service serves pages': (await fetch(`${service.url}/`, { headers: { accept: 'text/html' } })).ok,
        'the routes were made': !edge.error && existsSync(join(rig.scratch, 'vercel.json')),
        'railway.json says something': Object.keys(flatten(railway)).length > 5,
      },
      evidence: [...(edge.error ? [edge.error] : []), ...lost, ...differ, ...unknown].slice(0, 12),
    }
  },
  sabotages: [
    patch(
      'requests lose their path',
      'packages/ops/src/targets/vercel/vercel.ts',
      '${serviceHostOf(host)}/$1',
      '${serviceHostOf(host)}/api/$1',
    ),
    patch(
      'assets come without their headers',
      'packages/ops/src/targets/vercel/vercel.ts',
      'Object.entries(assetHeaders(true))',
      'Object.entries(assetHeaders(false))',
    ),
    patch(
      'a number is written as text',
      'packages/ops/src/targets/railway/railway.ts',
      'drainingSeconds: shutdownSeconds',
      'drainingSeconds: String(shutdownSeconds)',
    ),
  ],
})

async function render(rig: Rig): Promise<{ readonly vercel: object; readonly railway: object }> {
  const program = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const names = ['vercel', 'railway']
  const { code, stderr } = await runIn(rig.product, process.execPath, program, 'render', ...names, '--out', rig.scratch)
  if (code !== 0) throw new Error(`vercel.json and railway.json could not be rendered: ${stderr}`)
  const read = (file: string) => JSON.parse(readFileSync(join(rig.scratch, file), 'utf8')) as object
  return { vercel: forRoutes(read('vercel.json')), railway: read('railway.json') }
}

/** The part of vercel.json that routes requests. */
const forRoutes = (configuration: object): object =>
  Object.fromEntries(Object.entries(configuration).filter(([name]) => name === 'headers' || name === 'rewrites'))

/** Asks the service once as the edge would and once directly, and compares what is said. */
async function lostRequests(edge: Edge, { url }: Stack): Promise<readonly string[]> {
  const lost = []
  for (const address of addresses) {
    const { destination = '' } = edge.route(address)
    const led = URL.canParse(destination) ? new URL(destination) : undefined
    const [direct, through] = [await ask(url + address), await ask(url + (led ? led.pathname + led.search : '/'))]
    if (led?.origin !== 'https://service.app.example.com' || direct !== through)
      lost.push(`${address} goes to ${destination || 'nothing'}: ${through}, not ${direct}`)
  }
  return lost
}

async function ask(address: string): Promise<string> {
  const answer = await fetch(address, { headers: { accept: 'text/html,*/*' }, redirect: 'manual' })
  await answer.arrayBuffer()
  // A problem's page has an id of the request in its body, never in these.
  return [answer.status, ...telling.map((name) => answer.headers.get(name) ?? '-')].join(' ')
}

async function differingHeaders(edge: Edge, { url }: Stack, path: string): Promise<readonly string[]> {
  const answer = await fetch(url + path)
  await answer.arrayBuffer()
  const ours = Object.fromEntries([...answer.headers].filter(([name]) => !carried.test(name)))
  const theirs = edge.route(path).headers
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((name) => ours[name] !== theirs[name])
    .map((name) => `${path} ${name}: ${theirs[name] ?? 'none'}, not ${ours[name] ?? 'none'}`)
}

/** `deploy.healthcheckPath` and its value, for every field. */
const flatten = (value: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => typeof part === 'object')
      .flatMap(([part, fields]) =>
        Object.entries(fields as object).map(([name, field]) => [`${part}.${name}`, field] as const),
      ),
  )

const fieldOf = (value: object, name: string): string => String(flatten(value)[name])

const unknownFields = (railway: object): readonly string[] =>
  Object.entries(flatten(railway))
    .filter(([name, value]) => railwayFields[name] !== typeof value)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
