/** Who is calling: sign-up, sign-in, tokens, sessions. The only room that makes a `Caller`. */
export {
  type Credentials,
  type Identity,
  type IdentitySettings,
  makeFirstOperatorLink,
  openIdentity,
  type SignedIn,
} from './identity.ts'
export type { Device } from './sessions.ts'
