import { X } from 'lucide-react'
import { useSyncExternalStore } from 'react'
import { Button } from './button.tsx'

interface Toast {
  readonly id: number
  readonly text: string
  readonly offer?: Offer
}

interface Offer {
  readonly text: string
  /** On its button: what pressing it does. */
  readonly action: string
  readonly onAccept: () => void
  /** It answers what was just pressed: the focus goes to its button. */
  readonly isAnswer?: boolean
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

const remove = (id: number): void => change(toasts.filter((shown) => shown.id !== id))

/** A line at the bottom of the page for a few seconds; read out, and never the only place where something is said. */
export function toast(text: string): void {
  const id = ++last
  const passing = toasts.filter((shown) => !shown.offer)
  change([...toasts.filter((shown) => shown.offer), ...passing.slice(-2), { id, text }])
  setTimeout(() => remove(id), SHOWN_MS)
}

/** A line with a button that stays until it is pressed or put away, and is in nobody's way. Gives what takes it back. */
export function offer(what: Offer): () => void {
  const id = ++last
  change([...toasts, { id, text: what.text, offer: what }])
  return () => remove(id)
}

export function Toasts() {
  const shown = useSyncExternalStore(
    subscribe,
    () => toasts,
    () => none,
  )
  return (
    <div className="toasts" role="status">
      {shown.map(({ id, text, offer: offered }) => (
        <div key={id} className={offered ? 'toast offer' : 'toast'}>
          <span>{text}</span>
          {offered && <OfferButtons of={offered} onEnd={() => remove(id)} />}
        </div>
      ))}
    </div>
  )
}

function OfferButtons({
  of: { action, onAccept, isAnswer },
  onEnd,
}: {
  readonly of: Offer
  readonly onEnd: () => void
}) {
  const accept = (): void => {
    onEnd()
    onAccept()
  }
  return (
    <>
      <Button autoFocus={isAnswer} onClick={accept}>
        {action}
      </Button>
      <Button kind="quiet" square aria-label="Not now" icon={<X size={18} />} onClick={onEnd} />
    </>
  )
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
