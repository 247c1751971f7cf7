import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DocumentedRoute, documentedRoutes } from '../../rig/api-document.ts'
import { MISSING } from '../../rig/foreign.ts'
import { openOffice, switchTo } from '../../rig/office.ts'
import { jsonBody } from '../../rig/person.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const ranks = ['viewer', 'member', 'admin', 'owner']

/** Somebody who calls, as far as a route's rules tell people apart. */
interface Caller {
  readonly name: string
  readonly token?: string
  readonly role?: string
  readonly operator?: boolean
  readonly stale?: boolean
  readonly scopes?: readonly string[]
}

export const claim = defineClaim({
  id: 'TEN-01',
  says: 'Every route of the API lets through exactly the roles, scopes and fresh sign-ins that its document names, and nobody else',
  answers: ['I5', 'H12', 'ASVS 8.1.1', 'ASVS 8.2.1', 'ASVS 8.3.1', 'ASVS 4.1.4'],
  witness: 'the OpenAPI document against the running service: twelve kinds of callers on every route',
  tier: 'full',
  seconds: 12,
  limits: {
    'answers that are not as documented': exactly(0, 'answers'),
    'routes that the page of the API does not list': exactly(0, 'routes'),
    'answers compared': atLeast(500, 'answers'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const routes = await documentedRoutes(stack.url)
    const callers = await makeCallers(stack, [...new Set(routes.flatMap((route) => route.operation['x-scope'] ?? []))])
    const wrong: string[] = []
    const seen = new Map<string, number>()
    for (const route of routes)
      for (const caller of callers) {
        const answer = await ask(stack.url, route, caller)
        const expected = expectedOf(route, caller)
        seen.set(expected, (seen.get(expected) ?? 0) + 1)
        if (answer !== expected)
          wrong.push(`${route.method} ${route.path}, ${caller.name}: ${answer} instead of ${expected}`)
      }
    const page = await (await fetch(`${stack.url}/docs`)).text()
    const unlisted = routes.filter(({ method, path }) => !page.includes(`<b>${method}</b> <code>${path}</code>`))
    const kinds = ['401 unauthenticated', '403 forbidden', '403 reauthentication_required', 'let through']
    return {
      measured: {
        'answers that are not as documented': wrong.length,
        'routes that the page of the API does not list': unlisted.length,
        'answers compared': routes.length * callers.length,
      },
      met: Object.fromEntries(kinds.map((kind) => [`some were to be answered: ${kind}`, (seen.get(kind) ?? 0) > 10])),
      evidence: [
        `${routes.length} routes, ${callers.length} kinds of callers`,
        ...wrong.slice(0, 10),
        ...unlisted.map((route) => route.path),
      ],
    }
  },
  sabotages: [
    patch(
      'roles are not looked at',
      'packages/platform/src/http/stages/authorise.ts',
      "auth === 'operator' ? !caller.operator : !roleAtLeast(caller.role, auth)",
      "auth === 'operator' ? !caller.operator : false",
    ),
    patch(
      'one route needs one role less',
      'packages/platform/src/http/lifecycle.ts',
      'auth: route.auth,',
      "auth: route.name === 'identity.members.remove' ? 'member' : route.auth,",
    ),
    patch(
      'a list is open to everybody',
      'packages/platform/src/http/lifecycle.ts',
      'auth: route.auth,',
      "auth: route.name === 'cosnap.photos.list' ? 'public' : route.auth,",
    ),
    patch(
      'a key for one thing opens another',
      'packages/platform/src/http/stages/authorise.ts',
      'if (!scopes.includes(scope))',
      'if (scopes.length === 0)',
    ),
    patch(
      'nobody is asked again who they are',
      'packages/platform/src/http/stages/authorise.ts',
      'if (fresh && !isFresh(caller))',
      'if (fresh && caller.scopes)',
    ),
  ],
})

async function makeCallers(stack: Stack, scopes: readonly string[]): Promise<readonly Caller[]> {
  const office = await openOffice(stack)
  const [viewer, member, admin] = [await office.join('viewer'), await office.join('member'), await office.join('admin')]
  const operator = await stack.operator()
  const aged = await age(stack, await stack.newcomer())
  const agedOperator = { ...operator, token: (await age(stack, await stack.signIn(operator))).token }
  const keyOf = (role: string, wanted: readonly string[]) => makeKey(stack, admin.token, role, wanted)
  return [
    { name: 'nobody' },
    ...[viewer, member, admin, office.owner].map(({ role, token }) => ({ name: role, role, token })),
    { name: 'an operator', role: 'owner', operator: true, token: operator.token },
    { name: 'an owner of an hour ago', role: 'owner', stale: true, token: aged.token },
    { name: 'an operator of an hour ago', role: 'owner', operator: true, stale: true, token: agedOperator.token },
    { name: 'a key for everything', role: 'admin', scopes, token: await keyOf('admin', scopes) },
    { name: 'a key that looks', role: 'viewer', scopes, token: await keyOf('viewer', scopes) },
    ...(await Promise.all(
      [scopes.slice(0, 1), scopes.slice(1)].map(async (some) => ({
        name: `a key for ${some.join(' and ')}`,
        role: 'admin',
        scopes: some,
        token: await keyOf('admin', some),
      })),
    )),
  ]
}

/** The same sign-in, an hour older than it is. */
async function age(stack: Stack, person: Awaited<ReturnType<Stack['newcomer']>>): Promise<{ token: string }> {
  const admin = await stack.database()
  await admin.query(
    `update seaworthy.sessions set authenticated_at = now() - interval '1 hour' where id = (select id from seaworthy.sessions where user_id = $1 order by id desc limit 1)`,
    [person.userId],
  )
  return { token: await switchTo(person, person.accountId) }
}

async function makeKey(stack: Stack, token: string, role: string, scopes: readonly string[]): Promise<string> {
  const wanted = jsonBody({ name: 'matrix', role, scopes }, { authorization: `Bearer ${token}` })
  const made = await fetch(`${stack.url}/api/identity/api-keys`, wanted)
  return ((await made.json()) as { key: string }).key
}

/**
 * Nothing has an effect: whoever is let through is told that this question is not known, that this is no photo, or, later
 * than by any rule about people, that the account has asked often enough.
 */
async function ask(url: string, { method, path, operation }: DocumentedRoute, caller: Caller): Promise<string> {
  const type = Object.keys(operation.requestBody?.content ?? {})[0]
  const response = await fetch(`${url}${path.replace(/\{[^}]+\}/g, MISSING)}?surprise=1`, {
    method,
    ...(type ? { body: '{}' } : {}),
    headers: {
      ...(type ? { 'content-type': type } : {}),
      ...(caller.token ? { authorization: `Bearer ${caller.token}` } : {}),
    },
  })
  const { code = '' } = (await response.json()) as { code?: string }
  const passed = response.status === 400 || code === 'unusable_image' || code === 'too_many_requests'
  return passed ? 'let through' : `${response.status} ${code}`
}

function expectedOf({ operation }: DocumentedRoute, caller: Caller): string {
  const role = operation['x-role'] ?? 'nobody'
  if (role === 'public') return 'let through'
  if (!caller.role) return '401 unauthenticated'
  const allowed = role === 'operator' ? caller.operator : ranks.indexOf(caller.role) >= ranks.indexOf(role)
  if (!allowed || !ranks.concat('operator').includes(role)) return '403 forbidden'
  if (caller.scopes && !caller.scopes.includes(operation['x-scope'] ?? '')) return '403 forbidden'
  if (operation['x-fresh'] && (caller.stale || caller.scopes)) return '403 reauthentication_required'
  return 'let through'
}
