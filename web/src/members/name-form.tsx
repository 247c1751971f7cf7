import { Button, Failure, Field, fieldFault } from '@seaworthy/ui'
import { type ReactNode, useState } from 'react'

interface Props {
  /** Of the section, and of its heading. */
  readonly id: string
  readonly title: string
  readonly about?: ReactNode
  readonly label: string
  readonly action: string
  readonly kind: 'main' | 'plain'
  readonly first: string
  readonly error: Error | null
  readonly busy: boolean
  readonly onSubmit: (name: string) => void
}

/** Asks for the name of an account, and gives it when it is another than the first. */
export function NameForm({ id, title, about, label, action, kind, first, error, busy, onSubmit }: Props) {
  const [name, setName] = useState(first)
  const fault = fieldFault(error, 'name')
  return (
    <section className="card stack" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {about}
      {error && !fault && <Failure error={error} />}
      <form
        className="invite"
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit(name)
        }}
      >
        <Field
          label={label}
          name={id}
          required
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.target.value)}
          fault={fault}
        />
        <Button kind={kind} type="submit" disabled={busy || (first !== '' && name.trim() === first)}>
          {action}
        </Button>
      </form>
    </section>
  )
}
