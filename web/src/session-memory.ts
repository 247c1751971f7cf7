import type { Session } from '@seaworthy/client'

const KEY = 'session'

/**
 * Whether somebody was signed in when this device was last here; the script in the page's head reads it before anything
 * is shown. No secret and no proof: it decides what is shown until the service has said who is there.
 */
export const wasSignedIn = (): boolean => document.documentElement.dataset.session === 'in'

/** Keeps it true from now on. Nothing is left behind after signing out. */
export function rememberSession(session: Session): void {
  session.subscribe(() => {
    const isIn = session.state.status === 'signed-in'
    document.documentElement.dataset.session = isIn ? 'in' : 'out'
    try {
      if (isIn) localStorage.setItem(KEY, 'in')
      else localStorage.removeItem(KEY)
    } catch {
      // Storage is off: the next page asks the service first.
    }
  })
}
