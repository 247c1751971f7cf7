import { createApi, createLive } from '@seaworthy/client'
import { createMemoryHistory } from '@tanstack/react-router'
import { renderToString } from 'react-dom/server'
import { apps } from './apps.ts'
import { titleOf } from './page-title.tsx'
import { createSite } from './site.tsx'

/** For whom a page is: everybody, or people who are or are not signed in. */
type Visitors = 'all' | 'in' | 'out'

export interface PrerenderedPage {
  readonly path: string
  readonly visitors: Visitors
  readonly title: string
  /** The file with its code, without ending; undefined when that is among what every page has. */
  readonly code: string | undefined
  readonly markup: string
}

/** Every page as it is before the service has said anything. An id in an address is `_`. Runs in the build. */
export async function prerenderPages(): Promise<readonly PrerenderedPage[]> {
  const pages = [
    await prerender('/', 'all', undefined),
    await prerender('/sign-in', 'out', 'sign-in-page'),
    await prerender('/sign-up', 'out', 'sign-up-page'),
    await prerender('/operations', 'in', 'operations-page'),
    await prerender('/operations/recovery', 'in', 'recovery-page'),
    await prerender('/members', 'in', 'members-page'),
    await prerender('/settings/security', 'in', 'security-page'),
    await prerender('/settings/keys', 'in', 'provider-keys-page'),
    await prerender('/settings/activity', 'in', 'activity-page'),
    await prerender('/settings/privacy', 'in', 'privacy-page'),
  ]
  for (const { path, load } of apps.flatMap((app) => app.pages)) {
    // A file is named after what it is about: `StudioPage` is in `studio-page.tsx`.
    const code = (await load()).default.name.replace(/\B[A-Z]/g, '-$&').toLowerCase()
    pages.push(await prerender(path.replace(/\$\w+/g, '_'), 'in', code))
  }
  return pages
}

async function prerender(path: string, visitors: Visitors, code: string | undefined): Promise<PrerenderedPage> {
  const { queries, router, element } = createSite({
    service: silentService(),
    wasSignedIn: () => false,
    history: createMemoryHistory({ initialEntries: [path] }),
  })
  await router.load()
  if (router.state.location.pathname !== path) throw new Error(`${path} leads to ${router.state.location.pathname}`)
  const title = titleOf(router.state.matches.at(-1)?.staticData.title, path)
  const markup = renderToString(element)
  // What it began to ask for would keep the build waiting for minutes.
  queries.clear()
  return { path, visitors, title, code, markup }
}

/** It answers nothing, and lets every page begin. */
function silentService() {
  const api = createApi({ baseUrl: 'http://prerender.invalid', fetcher: () => new Promise(() => undefined) })
  const session = { ...api.session, token: async () => 'nobody' }
  return { ...api, session, live: createLive({ baseUrl: '', session, seen: api.seen }) }
}
