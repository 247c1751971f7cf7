import type { Config } from '../config/index.ts'
import type { Transaction } from '../data/index.ts'
import type { App, Route } from '../definition/index.ts'
import type { NewAccount } from '../identity/index.ts'

/** The apps with the limits that this installation sets. */
export const withSettings = (apps: readonly App[], config: Config): readonly App[] =>
  apps.map((app) => ({ ...app, routes: app.routes.map((route) => withRate(route, config)) }))

function withRate(route: Route, config: Config): Route {
  const { limit } = route
  if (limit.kind !== 'rate' || !limit.setting) return route
  return { ...route, limit: { ...limit, max: config[limit.setting], windowMs: config.rateWindowMs } }
}

/** What all apps do when an account is made, in its transaction. */
export const onAccountCreated =
  (apps: readonly App[]) =>
  async (tx: Transaction, account: NewAccount): Promise<void> => {
    for (const app of apps) await app.onAccountCreated?.(tx, account)
  }
