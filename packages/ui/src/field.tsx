import { type InputHTMLAttributes, useId } from 'react'

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly label: string
  readonly hint?: string
  readonly fault?: string | undefined
}

export function Field({ label, hint, fault, ...input }: FieldProps) {
  const id = useId()
  const words = fault ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        aria-invalid={fault ? true : undefined}
        aria-describedby={words ? `${id}-hint` : undefined}
        {...input}
      />
      {words && (
        <span id={`${id}-hint`} className="hint" data-bad={fault ? true : undefined}>
          {words}
        </span>
      )}
    </div>
  )
}
