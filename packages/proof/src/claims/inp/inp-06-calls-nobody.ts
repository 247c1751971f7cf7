import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { documentedRoutes } from '../../rig/api-document.ts'
import { type CanaryServers, farAddresses, openCanaryServers } from '../../rig/canary-servers.ts'
import { recordConnections } from '../../rig/connection-record.ts'
import { countedInDatabase, makeLimitsEndless } from '../../rig/endless-limits.ts'
import { MISSING } from '../../rig/foreign.ts'
import { PASSWORD, type Person } from '../../rig/person.ts'
import { jpegPhoto } from '../../rig/photo.ts'
import { plant, plantings } from '../../rig/planted-addresses.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

/** Of all addresses, beside the two that each place gets. */
const OTHERS = 1

export const claim = defineClaim({
  id: 'INP-06',
  says: 'Nobody can make the service call an address: planted in every text field, query parameter, path value and header of every documented route, none is connected to and no name is looked up; the service has no function that fetches by address, so redirects and rebinding names have nothing to start from',
  answers: ['H11', 'ASVS 1.3.6', 'ASVS 13.2.4', 'ASVS 13.2.5', 'ASVS 15.3.2'],
  witness: 'own listeners on every address of the machine, and strace: each connection of each process of the product',
  needs: ['strace'],
  tier: 'full',
  seconds: 40,
  limits: {
    'calls that came to a canary': exactly(0, 'calls'),
    'connections to anything but its own parts': exactly(0, 'connections'),
    'requests with planted addresses': atLeast(800, 'requests'),
    'routes planted in': atLeast(60, 'routes'),
  },
  experiment: async (rig) => {
    const canary = await openCanaryServers(rig)
    const record = recordConnections(rig)
    const stack = await rig.start({ under: record.under, environment: { ...countedInDatabase } })
    await makeLimitsEndless(stack)
    const heard = await callThem(canary)
    const planted = await plantEverywhere(stack, canary)
    await uploadNamed(stack, canary)
    await allJobsDone(stack)
    const [database, ...own] = await ownEnds(stack)
    const connections = record.read()
    const foreign = connections.filter((end) => end !== database && !own.includes(end))
    return {
      measured: {
        'calls that came to a canary': canary.calls.length,
        'connections to anything but its own parts': foreign.length,
        'requests with planted addresses': planted.statuses.length,
        'routes planted in': planted.routes,
      },
      met: {
        'each canary hears whoever calls it': heard,
        'the record holds the connections to the database': connections.filter((end) => end === database).length > 2,
        'most was taken by somebody signed in': share(planted.statuses, (status) => status !== 401) > 0.9,
        'much was taken as it was': share(planted.statuses, (status) => status < 300) > 0.1,
      },
      evidence: [
        ...new Set([...canary.calls, ...foreign]),
        `${connections.length} connections of the product, ${planted.statuses.length} requests`,
      ].slice(0, 12),
    }
  },
  sabotages: [
    patch(
      'the name of a new account is fetched as if it were the address of a picture',
      'packages/platform/src/http/routes/identity/accounts.ts',
      'const made = await identity.accounts.create(',
      'void fetch(body.name).catch(() => undefined)\n      const made = await identity.accounts.create(',
    ),
    patch(
      'the page that somebody comes from is fetched for a preview',
      'packages/platform/src/http/stages/correlate.ts',
      "const given = headers['x-request-id']",
      "if (headers.referer) void fetch(headers.referer).catch(() => undefined)\n  const given = headers['x-request-id']",
    ),
    patch(
      'the host of an invited address is looked up',
      'packages/platform/src/http/routes/identity/invitations.ts',
      'const made = await identity.invitations.invite(',
      "void (await import('node:dns/promises')).resolveMx(body.email.replace(/.*@/, '')).catch(() => undefined)\n      const made = await identity.invitations.invite(",
    ),
  ],
})

const share = (statuses: readonly number[], wanted: (status: number) => boolean): number =>
  statuses.filter(wanted).length / statuses.length

/** Whether each notation leads to the canary, with the same client that a careless service would use. */
async function callThem(canary: CanaryServers): Promise<boolean> {
  for (const address of canary.addresses) await fetch(address).catch(() => undefined)
  const heard = canary.calls.length
  canary.forget()
  return heard === canary.addresses.length
}

/** Each place gets a canary, an address of e-mail, and others in turn. */
async function plantEverywhere(stack: Stack, canary: CanaryServers) {
  const routes = await documentedRoutes(stack.url)
  const operator = await stack.operator()
  const turn = takeInTurn([...canary.addresses.slice(1), ...farAddresses])
  const statuses: number[] = []
  let person = await stack.newcomer()
  for (const route of routes) {
    const isOperators = route.operation['x-role'] === 'operator'
    const both = [canary.addresses[0] ?? '', 'someone@canary.invalid']
    for (const address of [...both, ...Array.from({ length: OTHERS }, turn)]) {
      const asked = isOperators ? operator : person
      const answers = await plant(asked, plantings(route, address, knownOf(asked)))
      statuses.push(...answers)
      // Some routes end the sign-in, or the account, of whoever asks.
      const { status } = await person.fetch('/api/identity/me')
      if (status === 401) person = await stack.newcomer()
    }
  }
  return { statuses, routes: routes.length }
}

const knownOf = (person: Person) => ({
  ...{ email: person.email, password: PASSWORD, current: PASSWORD, user: person.userId, id: MISSING },
  ...{ operatorToken: '', scopes: ['cosnap:read'], path: '/api/identity/me', 'Idempotency-Key': 'canary' },
})

function takeInTurn(all: readonly string[]): () => string {
  let next = 0
  return () => all[next++ % all.length] ?? ''
}

async function uploadNamed(stack: Stack, { addresses }: CanaryServers): Promise<void> {
  const person = await stack.newcomer()
  const body = await jpegPhoto(64, 48)
  for (const name of addresses) {
    const path = `/api/cosnap/photos?name=${encodeURIComponent(name)}`
    const answer = await person.fetch(path, { method: 'POST', body })
    if (!answer.ok) throw new Error(`an upload was answered with ${answer.status}`)
  }
}

/** What was planted may also be used later: mail, exports, effects. */
async function allJobsDone(stack: Stack): Promise<void> {
  const admin = await stack.database()
  const left = `select count(*)::int as left from graphile_worker._private_jobs where run_at <= now() and attempts < max_attempts`
  await until('all jobs are done', async () => (await admin.query<{ left: number }>(left)).rows[0]?.left === 0, 30_000)
}

/** The database first, then what the product's processes ask of each other. */
async function ownEnds(stack: Stack): Promise<string[]> {
  const { rows } = await (await stack.database()).query<{ port: number }>('select inet_server_port() as port')
  return [rows[0]?.port, stack.port, new URL(stack.adminUrl).port].map((port) => `127.0.0.1:${port}`)
}
