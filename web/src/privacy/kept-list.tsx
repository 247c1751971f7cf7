import { dataOf, type Paths } from '@seaworthy/client'
import { showBytes } from '@seaworthy/core'
import { Failure, Skeleton, useService } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { keptWords } from './kept-words.ts'

type Kept = Paths['/api/privacy/kept']['get']['responses'][200]['content']['application/json']['items'][number]

/** How long what goes by itself stays. */
const until: Readonly<Record<string, (days: string) => string>> = {
  'sign-ins': (days) => `until ${days} after they expire`,
  'seaworthy.jobs': (days) => `until ${days} after it ended`,
  'seaworthy.ai_usage': (days) => `for ${days}`,
  'seaworthy.audit': (days) => `for ${days}`,
}

/** Every kind of thing that is kept, and how much of it. */
export function KeptList() {
  const { http } = useService()
  const kept = useQuery({ queryKey: ['privacy', 'kept'], queryFn: () => dataOf(http.GET('/api/privacy/kept')) })
  return (
    <section className="setting" aria-labelledby="kept">
      <div>
        <h2 id="kept">What is kept about you</h2>
        <p className="soft">
          On this installation only. Network addresses are shortened before they are stored, and the location in your
          photos is removed when they arrive.
        </p>
      </div>
      {kept.isPending && <Skeleton shape="list" />}
      {kept.error && <Failure error={kept.error} onRetry={() => void kept.refetch()} />}
      {kept.data && (
        <ul className="card lines kept">
          {kept.data.items.map((item) => (
            <Line key={item.name} of={item} />
          ))}
        </ul>
      )}
      <p className="soft small">
        What you do in accounts that you share belongs to the account: its owners keep it and remove it.
      </p>
    </section>
  )
}

function Line({ of: { name, rows, more, bytes, days } }: { readonly of: Kept }) {
  const { what, detail } = keptWords(name)
  const long = days === null ? undefined : until[name]?.(days === 1 ? 'a day' : `${days} days`)
  const small = [detail, long].filter(Boolean).join(', ')
  return (
    <li>
      <div>
        <strong>{what}</strong>
        {small && <p className="soft small">{small}</p>}
      </div>
      <p className="number kept-count">
        {name === 'person' ? (
          ''
        ) : rows === 0 ? (
          <span className="soft">none</span>
        ) : (
          `${rows.toLocaleString()}${more ? ' and more' : ''}`
        )}
        {bytes !== null && rows > 0 && <span className="soft small"> {showBytes(bytes)}</span>}
      </p>
    </li>
  )
}
