import { MINUTE } from '@seaworthy/core'
import { rate } from '../../../definition/index.ts'

const WINDOW_MS = 15 * MINUTE

export const rates = {
  auth: rate('identity.auth', 5, WINDOW_MS, { per: 'network', setting: 'rateAuthMax' }),
  session: rate('identity.session', 300, WINDOW_MS, { per: 'network' }),
  /** What asks for the password again, by the person who is signed in. */
  confirm: rate('identity.confirm', 10, WINDOW_MS),
  /** Asking for a new password. Apart from signing in: whoever has used that up still gets a mail. */
  forgot: rate('identity.forgot', 5, WINDOW_MS, { per: 'network', setting: 'rateAuthMax' }),
  /** Links of mails, which nobody can guess anyway. */
  links: rate('identity.links', 5, WINDOW_MS, { per: 'network', setting: 'rateAuthMax' }),
  /** A new password by whoever knows the old one, and mails to oneself. */
  own: rate('identity.own', 5, WINDOW_MS, { setting: 'rateAuthMax' }),
  general: rate('identity.general', 100, WINDOW_MS, { setting: 'rateMax' }),
}
