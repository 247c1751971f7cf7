import { Field } from '@seaworthy/ui'

/** What helps, and nothing about what must be in it: every mixture is taken. */
export const newPasswordHint = 'At least 8 characters. A few words in a row are good.'

interface Props {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly fault: string | undefined
}

/** Where somebody who has an account already chooses another password. */
export function NewPassword({ value, onChange, fault }: Props) {
  return (
    <Field
      label="New password"
      type="password"
      name="password"
      autoComplete="new-password"
      required
      minLength={8}
      maxLength={128}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      hint={newPasswordHint}
      fault={fault}
    />
  )
}
