import type { AiTask } from '../ai/index.ts'
import type { Consent } from '../consent/index.ts'
import type { Table, Transaction } from '../data/index.ts'
import type { Flag } from '../flags/index.ts'
import type { NewAccount } from '../identity/index.ts'
import type { Channel } from '../realtime/index.ts'
import type { Job, Schedule } from './job.ts'
import type { Route } from './route.ts'

/** An app's table of contents: everything that it is made of, as plain values. */
export interface App<Name extends string = string, Routes extends readonly Route[] = readonly Route[]> {
  readonly kind: 'app'
  /** Lower case; the prefix of its routes, jobs, tables and error codes. */
  readonly name: Name
  readonly title: string
  readonly routes: Routes
  readonly jobs: readonly Job[]
  readonly schedules: readonly Schedule[]
  readonly tables: readonly Table[]
  readonly channels: readonly Channel[]
  /** What operators turn while the service runs. */
  readonly flags: readonly Flag[]
  /** What accounts are asked to agree to. */
  readonly consents: readonly Consent[]
  /** What its routes and jobs ask AI engines. */
  readonly aiTasks: readonly AiTask[]
  /** The folder of its numbered SQL files. */
  readonly migrations?: URL
  /** In the transaction that makes an account: gifts, first rows. */
  readonly onAccountCreated?: (tx: Transaction, account: NewAccount) => Promise<void>
  /** Only people who signed in may use it; no API key opens it. */
  readonly peopleOnly?: true
}

type Parts = Partial<
  Pick<
    App,
    'schedules' | 'tables' | 'channels' | 'flags' | 'consents' | 'migrations' | 'onAccountCreated' | 'peopleOnly'
  >
> & {
  /** Widened here: a job's handler is only ever called with what its own schema parsed. */
  readonly jobs?: readonly unknown[]
  readonly aiTasks?: readonly unknown[]
}

/** Collects an app and refuses contradictions at once: two routes on one address, names without the app's prefix. */
export function defineApp<const Name extends string, const Routes extends readonly Route[]>(
  definition: { readonly name: Name; readonly title: string; readonly routes: Routes } & Parts,
): App<Name, Routes> {
  const app = {
    kind: 'app',
    schedules: [],
    tables: [],
    channels: [],
    flags: [],
    consents: [],
    ...definition,
    jobs: (definition.jobs ?? []) as readonly Job[],
    aiTasks: (definition.aiTasks ?? []) as readonly AiTask[],
  } as App<Name, Routes>
  const { routes, jobs, schedules, channels, flags, consents, aiTasks } = app
  const named = [...routes, ...jobs, ...schedules, ...channels, ...flags, ...consents, ...aiTasks].map(
    (part) => part.name,
  )
  for (const name of named)
    if (!name.startsWith(`${app.name}.`)) throw new Error(`${name} must start with the name of its app: ${app.name}.`)
  refuseTwice('name', named)
  refuseUnlisted(app)
  refuseTwice(
    'address',
    app.routes.map((route) => `${route.method} ${route.path.replace(/\{[^}]*\}/g, '{}')}`),
  )
  for (const table of app.tables)
    if (!table.name.startsWith(`${app.name}.`))
      throw new Error(`the table ${table.name} must be in the schema ${app.name}`)
  return app
}

/** What nobody can agree to would never be asked. */
function refuseUnlisted({ name: app, aiTasks, consents }: App): void {
  for (const { name, engines } of aiTasks)
    for (const use of engines)
      if (use.kind === 'outside' && use.consent !== 'not-personal' && !consents.includes(use.consent))
        throw new Error(`${name} asks for the consent ${use.consent.name}, which ${app} does not list`)
}

export type Scope = `${string}:${'read' | 'write'}`

/** What an API key needs for a route: `cosnap:read`. Undefined where keys are not taken. */
export const scopeOf = (app: Pick<App, 'name' | 'peopleOnly'>, route: Pick<Route, 'method'>): Scope | undefined =>
  app.peopleOnly ? undefined : `${app.name}:${route.method === 'GET' ? 'read' : 'write'}`

/** Where a route of an app is found: `/api/cosnap/photos/{id}`. */
export const addressOf = (app: Pick<App, 'name'>, route: Pick<Route, 'path'>): string => `/api/${app.name}${route.path}`

function refuseTwice(what: string, values: readonly string[]): void {
  const twice = values.find((value, i) => values.indexOf(value) !== i)
  if (twice) throw new Error(`the ${what} ${twice} is used twice`)
}

/** All scopes that an API key for these apps may have. */
export const scopesOf = (apps: readonly App[]): readonly Scope[] => [
  ...new Set(apps.flatMap((app) => app.routes.flatMap((route) => scopeOf(app, route) ?? []))),
]
