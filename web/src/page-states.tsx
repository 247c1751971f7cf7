import { Failure, Skeleton } from '@seaworthy/ui'
import { useQueryClient } from '@tanstack/react-query'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { isMissingCode } from './lazy-page.ts'
import { reloadForCode } from './reload.ts'

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
  return isMissingCode(error) ? <CodeMissing /> : <Broken error={error} onRetry={reset} />
}

const missing = new Error('Its code could not be loaded: there is a new version, or the connection broke.')

/** With a new version the whole page comes anew, once. When that did not help, or would lose something, it says so. */
function CodeMissing() {
  const queries = useQueryClient()
  const [isTold, setTold] = useState(false)
  useEffect(() => {
    void reloadForCode(queries.isMutating() > 0).then((reloads) => setTold(!reloads))
  }, [queries])
  return isTold ? <Broken error={missing} onRetry={() => location.reload()} /> : <PagePending />
}

function Broken({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <div className="page narrow">
      <h1>This page did not load</h1>
      <Failure error={error} onRetry={onRetry} />
    </div>
  )
}
