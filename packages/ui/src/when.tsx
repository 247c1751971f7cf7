import type { ReactNode } from 'react'
import { useSession } from './service.tsx'

interface WhenProps {
  readonly signed: 'in' | 'out'
  readonly children: ReactNode
}

/**
 * Only for people who are signed in, or only for those who are not. Until the service has said who is there, a style
 * decides by what the device remembers, so that a page shows the right one before its code has come.
 */
export function When({ signed, children }: WhenProps) {
  const { status } = useSession()
  if (status !== 'unknown' && status !== `signed-${signed}`) return null
  return (
    <div className="when" data-until-known={status === 'unknown' ? signed : undefined}>
      {children}
    </div>
  )
}
