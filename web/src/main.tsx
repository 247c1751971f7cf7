import { createApi, createLive } from '@seaworthy/client'
import { ServiceProvider, Toasts } from '@seaworthy/ui'
import '@seaworthy/ui/styles.css'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createPages } from './router.tsx'
import './shell.css'

const api = createApi({ baseUrl: '' })
const service = { ...api, live: createLive('', api.session) }
const queries = new QueryClient({
  // The client itself retries what may be retried.
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false }, mutations: { retry: false } },
})
const router = createPages({ service, queries })

// What one account read must not be there for the next.
let account: string | undefined
api.session.subscribe(() => {
  const now = api.session.state.user?.accountId
  if (account && account !== now) {
    queries.clear()
    service.live.close()
    // To the sign-in, where the page needs one: it may have ended elsewhere.
    void router.invalidate()
  }
  account = now
})

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ServiceProvider service={service}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
          <Toasts />
        </QueryClientProvider>
      </ServiceProvider>
    </StrictMode>,
  )
}
