import { useSyncExternalStore } from 'react'

interface Toast {
  readonly id: number
  readonly text: string
}

const SHOWN_MS = 5_000
const none: readonly Toast[] = []
let toasts = none
let last = 0
const listeners = new Set<() => void>()

function change(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

/** A line at the bottom of the page for a few seconds; read out, and never the only place where something is said. */
export function toast(text: string): void {
  const id = ++last
  change([...toasts.slice(-2), { id, text }])
  setTimeout(() => change(toasts.filter((shown) => shown.id !== id)), SHOWN_MS)
}

export function Toasts() {
  const shown = useSyncExternalStore(
    subscribe,
    () => toasts,
    () => none,
  )
  return (
    <div className="toasts" role="status">
      {shown.map(({ id, text }) => (
        <div key={id} className="toast">
          {text}
        </div>
      ))}
    </div>
  )
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
