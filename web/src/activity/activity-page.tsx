import { Button, Empty, Failure, Skeleton, useService, useSession } from '@seaworthy/ui'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { History } from 'lucide-react'
import { accountsQuery } from '../members/account-queries.ts'
import '../settings/settings.css'
import { linesQuery } from './activity-queries.ts'
import { DayList } from './day-list.tsx'
import { ExportLines } from './export-lines.tsx'
import { FilterForm } from './filter-form.tsx'
import { type Filters, readFilters } from './filters.ts'
import { usePeople } from './use-people.ts'
import './activity.css'

/** Who did what in the account that one works in. */
export function ActivityPage() {
  const service = useService()
  const { user } = useSession()
  const navigate = useNavigate()
  const filters = readFilters(useLocation().search as Record<string, unknown>)
  const change = (next: Filters): void => void navigate({ to: '.', search: next as never, replace: true })
  const account = useQuery(accountsQuery(service)).data?.find(({ current }) => current)
  const lines = useInfiniteQuery(linesQuery(service, filters))
  const people = usePeople(account?.personal === false)
  const isAdmin = user?.role === 'owner' || user?.role === 'admin'
  const items = lines.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="page narrow activity">
      <header>
        <h1>Activity</h1>
        <p className="soft">{wordsFor(account, isAdmin)}</p>
      </header>
      <FilterForm filters={filters} people={isAdmin ? people : undefined} onChange={change} />
      {lines.isPending && <Skeleton shape="list" />}
      {lines.error && <Failure error={lines.error} onRetry={() => void lines.refetch()} />}
      {lines.data && items.length === 0 && <Nothing filters={filters} onClear={() => change({})} />}
      <DayList lines={items} people={people} />
      {lines.hasNextPage && (
        <div className="row">
          <Button disabled={lines.isFetchingNextPage} onClick={() => void lines.fetchNextPage()}>
            {lines.isFetchingNextPage ? 'One moment' : 'Show older ones'}
          </Button>
        </div>
      )}
      {lines.data && <ExportLines filters={filters} isAdmin={isAdmin} />}
    </div>
  )
}

function wordsFor(
  account: { readonly personal: boolean; readonly name: string } | undefined,
  isAdmin: boolean,
): string {
  if (!account || account.personal)
    return 'What was done in your account, and what was refused. Something you do not know? Change your password.'
  return isAdmin
    ? `What everybody did in ${account.name}, and what was refused.`
    : `What you did in ${account.name}. Its admins and owners see what everybody did.`
}

function Nothing({ filters, onClear }: { readonly filters: Filters; readonly onClear: () => void }) {
  if (Object.keys(filters).length === 0)
    return (
      <Empty icon={<History size={30} />} title="Nothing happened yet">
        Every change and every sign-in is written down here, as it happens.
      </Empty>
    )
  return (
    <Empty
      icon={<History size={30} />}
      title="Nothing like that"
      action={<Button onClick={onClear}>Show everything</Button>}
    >
      No line fits what you chose.
    </Empty>
  )
}
