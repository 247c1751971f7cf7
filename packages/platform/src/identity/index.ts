/** Who is calling: sign-up, sign-in, passwords, addresses, tokens, sessions, API keys. The only room that makes a `Caller`. */
export type { ApiKeyListed } from './api-keys.ts'
export type { Credentials } from './entry.ts'
export { type Identity, openIdentity } from './identity.ts'
export { makeFirstOperatorLink } from './operator-link.ts'
export type { Access, Also, IdentitySettings, NewAccount, SignedIn } from './parts.ts'
export { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from './password-rules.ts'
export type { Device } from './sessions.ts'
