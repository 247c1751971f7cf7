import { useEffect, useSyncExternalStore } from 'react'

let name: string | undefined
const listeners = new Set<() => void>()

function change(next: string | undefined): void {
  name = next
  for (const listener of listeners) listener()
}

/** The page shows one thing, such as a photo: its name, once known, is the page's title while it is shown. */
export function usePageName(of: string | undefined): void {
  useEffect(() => {
    change(of)
    return () => change(undefined)
  }, [of])
}

/** For the shell, which writes the title. */
export function usePageNameShown(): string | undefined {
  return useSyncExternalStore(
    subscribe,
    () => name,
    () => undefined,
  )
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
