import { createApi, createLive } from '@seaworthy/client'
import '@seaworthy/ui/styles.css'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { rememberSession, wasSignedIn } from './session-memory.ts'
import './shell.css'
import { createSite } from './site.tsx'
import { watchInput } from './unsaved.ts'

declare global {
  /** Asked for by `late.js`. */
  var refreshed: Promise<Response> | undefined
}

const api = createApi({ baseUrl: '', refreshed: globalThis.refreshed })
const live = createLive({ baseUrl: '', ...api })
const root = document.getElementById('root')
const { queries, router, element } = createSite({ service: { ...api, live }, wasSignedIn, onShown: comeToLife })

watchInput()
rememberSession(api.session)
// What one account read must not be there for the next.
let account: string | undefined
api.session.subscribe(() => {
  const now = api.session.state.user?.accountId
  if (account && account !== now) {
    queries.clear()
    live.close()
    // To the sign-in, where the page needs one: it may have ended elsewhere.
    void router.invalidate()
  }
  account = now
})

if (root) void show(root)

/**
 * Takes over a page that was made ahead, or makes it here. A page for strangers comes to life as it stands, with what was
 * typed already; one for people who are signed in is replaced at once by the same with their things in it.
 */
async function show(root: HTMLElement): Promise<void> {
  if (wasSignedIn()) api.session.token().catch(() => undefined)
  if (!root.hasChildNodes()) return createRoot(root).render(element)
  const { pathname } = location
  const isForStrangers = root.dataset.visitors !== 'in'
  // As the markup was made: without a boundary around all pages.
  if (isForStrangers) router.ssr = { manifest: undefined }
  await router.load()
  if (isForStrangers && location.pathname === pathname) hydrateRoot(root, element)
  else createRoot(root).render(element)
}

/** What was for others to see, or only to look at, is no longer. `late.js` waits for it. */
function comeToLife(): void {
  if (!root) return
  for (const mark of ['data-visitors', 'inert', 'aria-hidden']) root.removeAttribute(mark)
  dispatchEvent(new Event('alive'))
}
