import { Failure, Skeleton, useService } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { AccountName } from './account-name.tsx'
import { accountsQuery, membersQuery } from './account-queries.ts'
import { Invitations } from './invitations.tsx'
import { LeaveAccount } from './leave-account.tsx'
import { type Member, MembersTable } from './members-table.tsx'
import { NewAccount } from './new-account.tsx'
import './members.css'

/** Who belongs to the account that one works in, and who is invited. */
export function MembersPage() {
  const service = useService()
  const accounts = useQuery(accountsQuery(service))
  const members = useQuery(membersQuery(service))
  const current = accounts.data?.find((account) => account.current)
  const error = accounts.error ?? members.error
  return (
    <div className="page members">
      <header>
        <h1>Members</h1>
        {current && (
          <p className="soft">
            {current.personal
              ? 'This is your personal account. It is yours alone; make a shared one to work with others.'
              : `Everybody here works with the same things in ${current.name}.`}
          </p>
        )}
      </header>
      {error && (
        <Failure
          error={error}
          onRetry={() => {
            void accounts.refetch()
            void members.refetch()
          }}
        />
      )}
      {(accounts.isPending || members.isPending) && <Skeleton shape="card" />}
      {current && !current.personal && members.data && <Shared account={current} members={members.data} />}
      {current && <NewAccount first={(accounts.data?.length ?? 0) < 2} />}
    </div>
  )
}

interface SharedProps {
  readonly account: { readonly id: string; readonly name: string; readonly role: string }
  readonly members: readonly Member[]
}

function Shared({ account, members }: SharedProps) {
  const mayInvite = account.role === 'owner' || account.role === 'admin'
  return (
    <>
      <MembersTable members={members} myRole={account.role} />
      {mayInvite && <Invitations isOwner={account.role === 'owner'} />}
      {mayInvite && <AccountName account={account} />}
      <LeaveAccount name={account.name} />
    </>
  )
}
