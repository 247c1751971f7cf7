import { Failure, Skeleton, useService } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { DeadLetters } from './dead-letters.tsx'
import { FindPerson } from './find-person.tsx'
import { FlagList } from './flags.tsx'
import { Outbox } from './outbox.tsx'

interface Detailed {
  readonly status: string
  readonly parts: readonly {
    readonly name: string
    readonly status: string
    readonly ms: number
    readonly problem?: string
  }[]
  readonly uptimeSeconds: number
  readonly build: { readonly version: string; readonly commit: string }
  readonly database: { readonly total: number; readonly idle: number; readonly waiting: number }
}

const REFRESH_MS = 5_000

/** How this installation is, for operators. */
export function OperationsPage() {
  const { session } = useService()
  const health = useQuery({
    queryKey: ['operations', 'health'],
    queryFn: async () => {
      const response = await fetch('/health/detailed', {
        headers: { authorization: `Bearer ${(await session.token()) ?? ''}` },
      })
      if (response.status === 401 || response.status === 403) throw new Error('This page is for operators.')
      return (await response.json()) as Detailed
    },
    refetchInterval: REFRESH_MS,
  })
  return (
    <div className="page narrow">
      <h1>Operations</h1>
      {health.isError && <Failure error={health.error} onRetry={() => void health.refetch()} />}
      {health.isPending && <Skeleton shape="card" />}
      {health.data && <HealthTable of={health.data} />}
      {health.data && (
        <Link to="/operations/recovery" className="button" data-kind="plain">
          Recovery points and restores
        </Link>
      )}
      {health.data && <DeadLetters />}
      {health.data && <FindPerson />}
      {health.data && <FlagList />}
      {health.data && <Outbox />}
    </div>
  )
}

function HealthTable({ of }: { readonly of: Detailed }) {
  const rows = [
    ...of.parts.map((part) => [part.name, part.problem ?? `${part.ms} ms`, part.status] as const),
    [
      'connections',
      `${of.database.total} open, ${of.database.idle} idle, ${of.database.waiting} waiting`,
      of.database.waiting === 0 ? 'ok' : 'failed',
    ] as const,
  ]
  return (
    <div className="card">
      <p>
        <span className="chip" data-kind={of.status === 'ok' ? 'good' : 'bad'}>
          {of.status}
        </span>{' '}
        <span className="soft small number">
          up for {Math.floor(of.uptimeSeconds / 60)} min, version {of.build.version}, commit {of.build.commit}
        </span>
      </p>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Detail</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, detail, status]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="number">{detail}</td>
              <td>
                <span className="chip" data-kind={status === 'ok' ? 'good' : 'bad'}>
                  {status}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
