import { useRef } from 'react'

/** Does nothing while the last one is on its way: a second click can come before the page has been painted anew. */
export function useOnce<Of = void>(mutation: { mutateAsync(of: Of): Promise<unknown> }): (of: Of) => void {
  const isPending = useRef(false)
  return (of) => {
    if (isPending.current) return
    isPending.current = true
    const end = (): void => {
      isPending.current = false
    }
    // What went wrong is the mutation's to tell.
    mutation.mutateAsync(of).then(end, end)
  }
}
