import { MINUTE } from '@seaworthy/core'
import { rate } from '../../../definition/index.ts'

const WINDOW_MS = 15 * MINUTE

export const rates = {
  auth: rate('identity.auth', 5, WINDOW_MS, { per: 'network', setting: 'rateAuthMax' }),
  session: rate('identity.session', 300, WINDOW_MS, { per: 'network' }),
  /** What asks for the password again, by the person who is signed in. */
  confirm: rate('identity.confirm', 10, WINDOW_MS),
  general: rate('identity.general', 100, WINDOW_MS, { setting: 'rateMax' }),
}
