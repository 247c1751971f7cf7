import { useService, useSession } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { membersQuery } from '../members/account-queries.ts'

export interface People {
  readonly members: readonly { readonly userId: string; readonly email: string }[]
  nameOf(userId: string | null): string
}

/** Names for the ids in lines. Whoever is no member any more has none. */
export function usePeople(isShared: boolean): People {
  const service = useService()
  const { user } = useSession()
  const { data: members = [] } = useQuery({ ...membersQuery(service), enabled: isShared })
  return {
    members,
    nameOf: (userId) => {
      if (userId === null) return 'somebody unknown'
      if (userId === user?.id) return 'you'
      return members.find((member) => member.userId === userId)?.email ?? 'somebody who is no member now'
    },
  }
}
