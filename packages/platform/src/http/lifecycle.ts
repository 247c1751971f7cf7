import type { App, Route } from '../definition/index.ts'
import { addressOf, fieldChoiceOf, scopeOf } from '../definition/index.ts'
import type { Before, HttpSettings, ServedRoute } from './exchange.ts'
import { authorise } from './stages/authorise.ts'
import { checkOrigin } from './stages/check-origin.ts'
import { correlate } from './stages/correlate.ts'
import { identifyCaller } from './stages/identify.ts'
import { limitByClass, limitByNetwork } from './stages/limit.ts'
import { receiveBody } from './stages/receive-body.ts'
import { refuseWithin } from './stages/refuse-within.ts'
import { refuseSuspects } from './stages/suspect.ts'
import { transact } from './stages/transact.ts'
import { validate } from './stages/validate.ts'

/**
 * The way of a request, in order. A stage that does not apply to a route is left out when the server starts.
 * Security headers are part of every answer (`reply.ts`); the match is the router's.
 */
export function planRoute(app: Pick<App, 'name' | 'peopleOnly'>, route: Route, settings: HttpSettings): ServedRoute {
  const fieldChoice = fieldChoiceOf(route)
  const before: (Before | undefined)[] = [
    correlate,
    refuseWithin(route),
    checkOrigin,
    limitByNetwork(settings.networkRate),
    identifyCaller,
    refuseSuspects,
    authorise({
      auth: route.auth,
      scope: scopeOf(app, route),
      fresh: route.fresh ?? false,
      secondFactor: needsSecondFactor(app, route, settings),
    }),
    limitByClass(route.limit),
    receiveBody(route.body, settings.jsonBytesMax),
    validate(route, fieldChoice),
  ]
  return {
    app,
    route,
    template: addressOf(app, route),
    fieldChoice,
    before: before.filter((stage) => stage !== undefined),
    around: transact(route),
  }
}

/** Setting one up, and leaving, must stay possible without. */
function needsSecondFactor(
  app: Pick<App, 'name'>,
  { auth }: Route,
  { secondFactorFor }: Pick<HttpSettings, 'secondFactorFor'>,
): boolean {
  if (app.name === 'identity') return false
  return secondFactorFor === 'everyone' || (secondFactorFor === 'operators' && auth === 'operator')
}
