import { Failure, Skeleton } from '@seaworthy/ui'
import type { ErrorComponentProps } from '@tanstack/react-router'

/** While a page's code is on the way. */
export function PagePending() {
  return (
    <div className="page" aria-busy="true">
      <Skeleton shape="title" />
      <Skeleton shape="card" />
    </div>
  )
}

/** A page broke, or its code could not be loaded: never a white screen. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const isStale = error instanceof Error && /dynamically imported module|Failed to fetch/i.test(error.message)
  return (
    <div className="page narrow">
      <h1>This page did not load</h1>
      <Failure
        error={isStale ? new Error('There is a new version, or the connection broke.') : error}
        onRetry={isStale ? () => location.reload() : reset}
      />
    </div>
  )
}
