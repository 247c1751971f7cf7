import { usePageNameShown } from '@seaworthy/ui'
import { useMatches, useRouterState } from '@tanstack/react-router'
import { type RefObject, useEffect, useRef } from 'react'

declare module '@tanstack/react-router' {
  /** A page without a title does not compile. */
  interface StaticDataRouteOption {
    readonly title: string
  }
}

interface PageTitleProps {
  /** Whose page it is. */
  readonly owner: string
  readonly main: RefObject<HTMLElement | null>
}

/** `Gallery · Cosnap` in the tab. A new page is read out by its title, and has the focus. */
export function PageTitle({ owner, main }: PageTitleProps) {
  const own = useMatches({ select: (matches) => matches.at(-1)?.staticData.title })
  const title = `${usePageNameShown() ?? own} · ${owner}`
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
