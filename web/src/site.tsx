import { type Service, ServiceProvider, Toasts } from '@seaworthy/ui'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type RouterHistory, RouterProvider } from '@tanstack/react-router'
import { type ReactNode, StrictMode, useLayoutEffect } from 'react'
import { NewVersion } from './new-version.tsx'
import { createPages } from './router.tsx'

interface SiteParts {
  readonly service: Service
  /** Whether to ask the service who is there before a page for strangers is shown. */
  readonly wasSignedIn: () => boolean
  /** The browser's own when left out. */
  readonly history?: RouterHistory
  /** Once the first page stands in the document. */
  readonly onShown?: () => void
}

/** All pages around one service: the same in the browser and where pages are made ahead. */
export function createSite({ service, onShown, ...parts }: SiteParts) {
  const queries = new QueryClient({
    // The client itself retries what may be retried.
    defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false }, mutations: { retry: false } },
  })
  const router = createPages({ service, queries, ...parts })
  const element: ReactNode = (
    <StrictMode>
      <ServiceProvider service={service}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
          <Toasts />
          <NewVersion />
          {onShown && <Shown then={onShown} />}
        </QueryClientProvider>
      </ServiceProvider>
    </StrictMode>
  )
  return { queries, router, element }
}

function Shown({ then: tell }: { readonly then: () => void }): undefined {
  useLayoutEffect(tell, [tell])
}
