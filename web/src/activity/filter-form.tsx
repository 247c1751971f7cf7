import { useService } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { actionWords, routine } from './action-words.ts'
import { actionsQuery } from './activity-queries.ts'
import { type Filters, periods } from './filters.ts'
import type { People } from './use-people.ts'

interface FilterFormProps {
  readonly filters: Filters
  /** Of a shared account, for whoever sees what all of them did. */
  readonly people: People | undefined
  readonly onChange: (filters: Filters) => void
}

const kinds = [
  ['', 'Everything'],
  ['change', 'Changes'],
  ['security', 'Security'],
] as const

/** Which lines. What is chosen is in the address, so that it can be kept and passed on. */
export function FilterForm({ filters, people, onChange }: FilterFormProps) {
  const { data: actions = [] } = useQuery(actionsQuery(useService()))
  const shown = [...new Set([...actions, ...(filters.action ? [filters.action] : [])])]
    .filter((action) => !(routine as readonly string[]).includes(action))
    .map((action) => [action, actionWords(action)] as const)
    .sort(([, a], [, b]) => a.localeCompare(b))
  const choose = (name: keyof Filters, value: string): void => {
    const { [name]: _, ...others } = filters
    onChange(value ? { ...others, [name]: name === 'days' ? Number(value) : value } : others)
  }
  return (
    <form className="filters" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <fieldset className="segments">
        <legend className="visually-hidden">Kind</legend>
        {kinds.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name="kind"
              checked={(filters.kind ?? '') === value}
              onChange={() => choose('kind', value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <div className="choosers">
        <Chooser
          label="What"
          any="Anything"
          value={filters.action}
          options={shown}
          onChange={(value) => choose('action', value)}
        />
        <Chooser
          label="How it ended"
          any="Either way"
          value={filters.outcome}
          options={[
            ['done', 'Done'],
            ['refused', 'Refused'],
          ]}
          onChange={(value) => choose('outcome', value)}
        />
        <Chooser
          label="When"
          any="At any time"
          value={filters.days === undefined ? undefined : String(filters.days)}
          options={periods.map(({ days, label }) => [String(days), label] as const)}
          onChange={(value) => choose('days', value)}
        />
        {people && people.members.length > 1 && (
          <Chooser
            label="Who"
            any="Anybody"
            value={filters.user}
            options={people.members.map(({ userId, email }) => [userId, email] as const)}
            onChange={(value) => choose('user', value)}
          />
        )}
      </div>
    </form>
  )
}

interface ChooserProps {
  readonly label: string
  readonly any: string
  readonly value: string | undefined
  readonly options: readonly (readonly [value: string, label: string])[]
  readonly onChange: (value: string) => void
}

function Chooser({ label, any, value, options, onChange }: ChooserProps) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="select" value={value ?? ''} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {options.map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
    </div>
  )
}
