import { AlertTriangle, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { wordsOf } from './problem-words.ts'

/** Nothing here yet, and what to do about it. */
export function Empty({
  icon,
  title,
  children,
  action,
  wholePage,
}: {
  readonly icon: ReactNode
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
  /** There is nothing else on the page: then this is its heading. */
  readonly wholePage?: boolean
}) {
  const Heading = wholePage ? 'h1' : 'h2'
  return (
    <div className="empty">
      <span className="mark" aria-hidden="true">
        {icon}
      </span>
      <Heading>{title}</Heading>
      {children && <p className="soft">{children}</p>}
      {action}
    </div>
  )
}

/** Something failed; says what, and offers the way on. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const words = wordsOf(error)
  return (
    <div className="notice" role="alert">
      <AlertTriangle size={18} aria-hidden="true" />
      <div>
        <strong>{words.title}</strong> {words.detail}
        {words.reference && <p className="soft">Reference: {words.reference}</p>}
        {onRetry && (
          <Button kind="quiet" icon={<RotateCw size={16} />} onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  )
}

/** The shape of what is coming, by the name of a shape: a prerendered page must not carry styles of its own. */
export function Skeleton({
  shape,
}: {
  readonly shape: 'title' | 'line' | 'figures' | 'card' | 'panel' | 'list' | 'tile' | 'photo'
}) {
  return <div className="skeleton" data-shape={shape} aria-hidden="true" />
}

/** Without a value it goes on, and nobody knows how far it is. */
export function Progress({ value, label }: { readonly value?: number; readonly label: string }) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === undefined ? undefined : Math.round(value * 100)}
    >
      <span style={value === undefined ? undefined : { transform: `scaleX(${Math.max(0.02, value)})` }} />
    </div>
  )
}
