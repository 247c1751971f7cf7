import { ChevronDown } from 'lucide-react'
import { nameOfDevice } from '../settings/device-name.ts'
import { actionWords, reasonWords } from './action-words.ts'
import type { Line } from './activity-queries.ts'
import { LineFacts } from './line-facts.tsx'
import type { People } from './use-people.ts'

/** Lines under the day they are of, newest first. */
export function DayList({ lines, people }: { readonly lines: readonly Line[]; readonly people: People }) {
  return (
    <>
      {daysOf(lines).map(([day, items]) => (
        <section key={day} className="day" aria-label={day}>
          <h2 className="soft">{day}</h2>
          <ul className="card lines">
            {items.map((line) => (
              <li key={line.id}>
                <Entry line={line} people={people} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  )
}

function Entry({ line, people }: { readonly line: Line; readonly people: People }) {
  const where = line.userAgent ? `, ${nameOfDevice(line.userAgent)}` : ''
  return (
    <details className="entry">
      <summary>
        <span className="entry-what">
          <strong>{actionWords(line.action)}</strong>
          {line.outcome === 'refused' && (
            <>
              {' '}
              <span className="chip" data-kind="bad">
                refused: {reasonWords(line.errorCode)}
              </span>
            </>
          )}
          <span className="soft small">
            {people.nameOf(line.userId)}
            {where}
          </span>
        </span>
        <time className="soft small number" dateTime={line.at}>
          {new Date(line.at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
        </time>
        <ChevronDown size={18} aria-hidden="true" />
      </summary>
      <LineFacts line={line} who={people.nameOf(line.userId)} />
    </details>
  )
}

function daysOf(lines: readonly Line[]): [day: string, lines: Line[]][] {
  const days = new Map<string, Line[]>()
  for (const line of lines) {
    const day = dayOf(new Date(line.at))
    days.set(day, [...(days.get(day) ?? []), line])
  }
  return [...days]
}

const DAY_MS = 86_400_000

function dayOf(time: Date): string {
  const isOf = (ms: number): boolean => new Date(ms).toDateString() === time.toDateString()
  if (isOf(Date.now())) return 'Today'
  if (isOf(Date.now() - DAY_MS)) return 'Yesterday'
  return time.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
}
