import type { Service } from '@seaworthy/ui'
import type { QueryClient } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, type RouterHistory, redirect } from '@tanstack/react-router'
import { apps } from './apps.ts'
import { HomePage } from './home-page.tsx'
import { lazyPage } from './lazy-page.ts'
import { NotFoundPage } from './not-found-page.tsx'
import { PageError, PagePending } from './page-states.tsx'
import { Shell } from './shell.tsx'

export interface PageParts {
  readonly service: Service
  readonly queries: QueryClient
  /** When this device was last here. */
  readonly wasSignedIn: () => boolean
  readonly history?: RouterHistory
}

/** Every page there is: the shell's own, and those of the apps behind a sign-in. */
export function createPages(parts: PageParts) {
  const { root, at } = createRoot()
  const own = ownPages(parts, at)
  const mounted = apps.flatMap((app) =>
    app.pages.map((page) =>
      createRoute({
        ...at(page.path, page.title),
        beforeLoad: ({ location }) => needSignIn(parts.service, location.href),
        loader: ({ params }) => page.prefetch?.({ ...parts, params: params as Record<string, string> }),
        component: lazyPage(page.load),
      }),
    ),
  )
  return createRouter({
    routeTree: root.addChildren([...own, ...mounted]),
    defaultPreload: 'intent',
    defaultPendingComponent: PagePending,
    defaultPendingMs: 300,
    defaultErrorComponent: PageError,
    // In a page that is made ahead it would be a script of its own.
    scrollRestoration: !import.meta.env.SSR,
    ...(parts.history ? { history: parts.history } : {}),
  })
}

function createRoot() {
  const root = createRootRoute({
    component: Shell,
    notFoundComponent: NotFoundPage,
    // Not seen: without a page the not-found page is shown, which names itself.
    staticData: { title: 'Start' },
  })
  const at = (path: string, title: string) => ({ getParentRoute: () => root, path, staticData: { title } })
  return { root, at }
}
type At = ReturnType<typeof createRoot>['at']

/** The shell's own. */
function ownPages(parts: PageParts, at: At) {
  return [
    createRoute({ ...at('/', apps[0]?.title ?? 'Start'), component: HomePage }),
    createRoute({
      ...at('/sign-in', 'Sign in'),
      beforeLoad: () => leaveWhenSignedIn(parts),
      component: lazyPage(async () => ({ default: (await import('./sign-in-page.tsx')).SignInPage })),
    }),
    createRoute({
      ...at('/sign-up', 'Make an account'),
      // The operator's link makes an account of its own, also for somebody who has another.
      beforeLoad: ({ search }) => ('operator' in (search as object) ? undefined : leaveWhenSignedIn(parts)),
      component: lazyPage(async () => ({ default: (await import('./sign-up-page.tsx')).SignUpPage })),
    }),
    ...settingsPages(parts, at),
    createRoute({
      ...at('/forgot', 'Forgot your password?'),
      component: lazyPage(async () => ({ default: (await import('./forgot-page.tsx')).ForgotPage })),
    }),
    createRoute({
      ...at('/reset', 'Choose a new password'),
      component: lazyPage(async () => ({ default: (await import('./reset-page.tsx')).ResetPage })),
    }),
    createRoute({
      ...at('/verify', 'Confirm your address'),
      component: lazyPage(async () => ({ default: (await import('./verify-page.tsx')).VerifyPage })),
    }),
    createRoute({
      ...at('/operations', 'Operations'),
      beforeLoad: ({ location }) => needSignIn(parts.service, location.href),
      component: lazyPage(async () => ({ default: (await import('./operations-page.tsx')).OperationsPage })),
    }),
    createRoute({
      ...at('/operations/recovery', 'Recovery'),
      beforeLoad: ({ location }) => needSignIn(parts.service, location.href),
      component: lazyPage(async () => ({ default: (await import('./recovery/recovery-page.tsx')).RecoveryPage })),
    }),
    createRoute({
      ...at('/members', 'Members'),
      beforeLoad: ({ location }) => needSignIn(parts.service, location.href),
      component: lazyPage(async () => ({
        default: (await import('./members/members-page.tsx')).MembersPage,
      })),
    }),
    createRoute({
      ...at('/join', 'Invitation'),
      component: lazyPage(async () => ({ default: (await import('./members/join-page.tsx')).JoinPage })),
    }),
  ]
}

/** What somebody settles about themselves and their account. */
function settingsPages({ service }: PageParts, at: At) {
  const of = (name: string, title: string, load: Parameters<typeof lazyPage>[0]) =>
    createRoute({
      ...at(`/settings/${name}`, title),
      beforeLoad: ({ location }) => needSignIn(service, location.href),
      component: lazyPage(load),
    })
  return [
    of('security', 'Security', async () => ({
      default: (await import('./settings/security-page.tsx')).SecurityPage,
    })),
    of('keys', 'Provider keys', async () => ({
      default: (await import('./keys/provider-keys-page.tsx')).ProviderKeysPage,
    })),
    of('activity', 'Activity', async () => ({ default: (await import('./activity/activity-page.tsx')).ActivityPage })),
    of('privacy', 'Your data', async () => ({ default: (await import('./privacy/privacy-page.tsx')).PrivacyPage })),
  ]
}

/** To the sign-in, and from there back to where the person wanted to go. */
async function needSignIn({ session }: Service, wanted: string): Promise<void> {
  const token = await session.token()
  if (!token) throw redirect({ to: '/sign-in', search: { next: wanted } as never })
}

/** A person who is signed in already has nothing to do at the door. Strangers do not wait for the service to say so. */
async function leaveWhenSignedIn({ service: { session }, wasSignedIn }: PageParts): Promise<void> {
  const isIn = session.state.status === 'signed-in' || wasSignedIn()
  if (isIn && (await session.token())) throw redirect({ to: apps[0]?.home ?? '/' })
}
