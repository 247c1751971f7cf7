import { useEffect, useRef } from 'react'
import { Button } from './button.tsx'

interface ConfirmProps {
  readonly title: string
  readonly children: string
  readonly action: string
  /** The way out, where it is not to keep something. */
  readonly otherwise?: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** Asks before what cannot be undone. The browser's own dialog keeps focus, Escape and inertness right. */
export function Confirm({ title, children, action, otherwise = 'Keep it', onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      <p className="soft">{children}</p>
      <div className="actions">
        <Button onClick={() => dialog.current?.close()}>{otherwise}</Button>
        <Button
          kind="danger"
          onClick={() => {
            onConfirm()
            dialog.current?.close()
          }}
        >
          {action}
        </Button>
      </div>
    </dialog>
  )
}
