/** Who is calling: sign-up, sign-in, tokens, sessions, API keys. The only room that makes a `Caller`. */
export type { ApiKeyListed } from './api-keys.ts'
export type { Credentials } from './entry.ts'
export { type Identity, openIdentity } from './identity.ts'
export { makeFirstOperatorLink } from './operator-link.ts'
export type { Access, Also, IdentitySettings, NewAccount, SignedIn } from './parts.ts'
export type { Device } from './sessions.ts'
