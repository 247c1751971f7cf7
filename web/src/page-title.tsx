import { usePageNameShown } from '@seaworthy/ui'
import { useLocation, useMatches, useRouterState } from '@tanstack/react-router'
import { type RefObject, useEffect, useRef } from 'react'
import { appAt } from './apps.ts'

declare module '@tanstack/react-router' {
  /** A page without a title does not compile. */
  interface StaticDataRouteOption {
    readonly title: string
  }
}

/** `Gallery · Cosnap`: what is on the page, and whose page it is. */
export const titleOf = (name: string | undefined, pathname: string): string =>
  `${name} · ${appAt(pathname)?.title ?? 'Seaworthy'}`

/** In the tab. A new page is read out by its title, and has the focus. */
export function PageTitle({ main }: { readonly main: RefObject<HTMLElement | null> }) {
  const own = useMatches({ select: (matches) => matches.at(-1)?.staticData.title })
  const { pathname } = useLocation()
  const title = titleOf(usePageNameShown() ?? own, pathname)
  useEffect(() => {
    document.title = title
  }, [title])
  useFocusOnNewPage(main)
  return (
    <p className="visually-hidden" role="status">
      {title}
    </p>
  )
}

/** Otherwise the focus stays on a link that is gone, or falls to the body. A new search on one page moves nothing. */
function useFocusOnNewPage(main: RefObject<HTMLElement | null>): void {
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname })
  const before = useRef(pathname)
  useEffect(() => {
    if (before.current !== undefined && before.current !== pathname) main.current?.focus({ preventScroll: true })
    before.current = pathname
  }, [pathname, main])
}
