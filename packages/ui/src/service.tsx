import type { Api, Live, SessionState } from '@seaworthy/client'
import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react'

export interface Service extends Api {
  readonly live: Live
}

const ServiceContext = createContext<Service | undefined>(undefined)

export function ServiceProvider({ service, children }: { readonly service: Service; readonly children: ReactNode }) {
  return <ServiceContext value={service}>{children}</ServiceContext>
}

/** The API, the session and the live events of this page. */
export function useService(): Service {
  const service = useContext(ServiceContext)
  if (!service) throw new Error('there is no ServiceProvider above')
  return service
}

const nobodyKnown: SessionState = { status: 'unknown', user: undefined }

/** Who is there. While a prerendered page comes to life it is not known, as it was not when the page was made. */
export function useSession(): SessionState {
  const { session } = useService()
  return useSyncExternalStore(
    session.subscribe,
    () => session.state,
    () => nobodyKnown,
  )
}

export function useOnline(): boolean {
  return useSyncExternalStore(
    subscribeOnline,
    () => navigator.onLine,
    () => true,
  )
}

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}
