import type { ReactNode } from 'react'

interface LinkEndProps {
  readonly icon: ReactNode
  readonly title: string
  readonly children: ReactNode
}

/** Where a link of a mail has led: what became of it, and the way on. */
export function LinkEnd({ icon, title, children }: LinkEndProps) {
  return (
    <div className="page form-page">
      <div className="card form link-end" role="status">
        <span className="mark" aria-hidden="true">
          {icon}
        </span>
        <h1>{title}</h1>
        {children}
      </div>
    </div>
  )
}
