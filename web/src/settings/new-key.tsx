import { Button, Failure, Field, fieldFault } from '@seaworthy/ui'
import { type FormEvent, useState } from 'react'
import { scopeWords } from './scope-words.ts'

export interface WantedKey {
  name: string
  role: 'viewer' | 'member' | 'admin'
  scopes: string[]
  days?: number
}

interface NewKeyProps {
  readonly scopes: readonly string[]
  readonly error: unknown
  readonly busy: boolean
  readonly onMake: (wanted: WantedKey) => void
  readonly onCancel: () => void
}

const lives = [
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 366, label: 'a year' },
] as const

/** What a key is for: as little as it needs. */
export function NewKey({ scopes, error, busy, onMake, onCancel }: NewKeyProps) {
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [days, setDays] = useState<number>(90)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const role = chosen.some((scope) => scope.endsWith(':write')) ? 'member' : 'viewer'
    onMake({ name, role, scopes: [...chosen], days })
  }
  const toggle = (scope: string, on: boolean): void =>
    setChosen(on ? [...chosen, scope] : chosen.filter((other) => other !== scope))
  return (
    <form className="card form wide" onSubmit={submit}>
      {error !== null && error !== undefined && <Failure error={error} />}
      <Field
        label="What is it for?"
        value={name}
        required
        maxLength={80}
        placeholder="Nightly backup"
        onChange={(event) => setName(event.target.value)}
        fault={fieldFault(error, 'name')}
      />
      <fieldset className="choices">
        <legend>It may</legend>
        {scopes.toSorted().map((scope) => (
          <label key={scope}>
            <input
              type="checkbox"
              checked={chosen.includes(scope)}
              onChange={(event) => toggle(scope, event.target.checked)}
            />
            {scopeWords(scope)}
          </label>
        ))}
      </fieldset>
      <fieldset className="choices">
        <legend>It ends after</legend>
        {lives.map((life) => (
          <label key={life.days}>
            <input type="radio" name="days" checked={days === life.days} onChange={() => setDays(life.days)} />
            {life.label}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <Button
          kind="main"
          type="submit"
          disabled={busy}
          reason={chosen.length === 0 ? 'Choose what it may do.' : undefined}
        >
          Make the key
        </Button>
        <Button kind="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  )
}
