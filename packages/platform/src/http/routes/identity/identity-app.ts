import { defineApp } from '../../../definition/index.ts'
import type { Identity } from '../../../identity/index.ts'
import type { Guard } from '../../../limits/index.ts'
import { accountRoutes } from './accounts.ts'
import { addressRoutes } from './addresses.ts'
import { cookieOf, deviceCookieOf, type IdentityParts, type IdentityRouteSettings } from './answers.ts'
import { apiKeyRoutes } from './api-keys.ts'
import { deviceRoutes } from './devices.ts'
import { entryRoutes } from './entry.ts'
import { factorRoutes } from './factors.ts'
import { invitationRoutes } from './invitations.ts'
import { memberRoutes } from './members.ts'
import { passkeyRoutes } from './passkeys.ts'
import { passwordRoutes } from './passwords.ts'
import { selfRoutes } from './self.ts'
import { sessionRoutes } from './sessions.ts'

/**
 * Who one is, as routes like all others. The refresh token lives in a cookie that no script can read.
 */
export function identityApp(identity: Identity, guard: Guard, settings: IdentityRouteSettings) {
  const parts: IdentityParts = {
    identity,
    guard,
    cookie: cookieOf(settings),
    device: deviceCookieOf(settings),
    scopes: settings.scopes,
    publicUrl: settings.publicUrl,
    webBuild: settings.webBuild,
  }
  return defineApp({
    name: 'identity',
    title: 'Accounts and sign-in',
    peopleOnly: true,
    routes: [
      ...entryRoutes(parts),
      ...sessionRoutes(parts),
      ...selfRoutes(parts),
      ...passwordRoutes(parts),
      ...addressRoutes(parts),
      ...deviceRoutes(parts),
      ...apiKeyRoutes(parts),
      ...factorRoutes(parts),
      ...passkeyRoutes(parts),
      ...accountRoutes(parts),
      ...memberRoutes(parts),
      ...invitationRoutes(parts),
    ],
  })
}
