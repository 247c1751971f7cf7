import { Empty, Failure, Skeleton, useService } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { LifeBuoy } from 'lucide-react'
import '../settings/settings.css'
import { Condition } from './condition.tsx'
import { Drills } from './drills.tsx'
import { GoBack } from './go-back.tsx'
import './recovery.css'
import { overviewQuery } from './recovery-queries.ts'
import { Stores } from './stores.tsx'

/** What can be had back, how that is known, and the way back. */
export function RecoveryPage() {
  const overview = useQuery(overviewQuery(useService()))
  const { data } = overview
  return (
    <div className="page narrow settings">
      <header>
        <h1>Recovery</h1>
        <p className="soft">What can be had back after a loss or a mistake, and how that is known.</p>
      </header>
      {overview.isPending && <Skeleton shape="panel" />}
      {overview.error && <Failure error={overview.error} onRetry={() => void overview.refetch()} />}
      {data && !data.kept && <NothingKept />}
      {data?.kept && (
        <>
          <Condition of={data} />
          {data.earliest && data.latest && <GoBack earliest={data.earliest} latest={data.latest} />}
          <Drills of={data} />
          <Stores of={data} />
        </>
      )}
    </div>
  )
}

function NothingKept() {
  return (
    <Empty icon={<LifeBuoy size={30} />} title="Nothing is backed up here">
      What is lost with this disk is lost. Set BACKUP_STORES to a directory on another disk or machine, start again,
      make a recovery kit, and run: npx seaworthy backup. Where DATABASE_URL is set, whoever runs that server backs it
      up.
    </Empty>
  )
}
