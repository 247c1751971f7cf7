import type { ComponentProps, ReactNode } from 'react'

type Kind = 'main' | 'plain' | 'quiet' | 'danger'

interface ButtonProps extends ComponentProps<'button'> {
  readonly kind?: Kind
  readonly icon?: ReactNode
  /** A square with an icon only; `aria-label` then says what it does. */
  readonly square?: boolean
  /** Why it cannot be pressed now: it stays where it is, and says so. */
  readonly reason?: string | undefined
}

export function Button({ kind = 'plain', icon, square, reason, children, onClick, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={className ? `button ${className}` : 'button'}
      data-kind={kind}
      data-square={square || undefined}
      aria-disabled={reason ? true : undefined}
      title={reason}
      onClick={reason ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {icon}
      {children}
    </button>
  )
}
