import { dataOf } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'
import { queryOptions } from '@tanstack/react-query'

/** What a person may do in an account, from most to least, in words. */
export const roleWords = {
  owner: 'Owner: everything, also other owners',
  admin: 'Admin: members, keys and everything below',
  member: 'Member: works with everything',
  viewer: 'Viewer: looks',
} as const

export type RoleName = keyof typeof roleWords
export const shortRole = (role: string): string => role.slice(0, 1).toUpperCase() + role.slice(1)

export const accountsQuery = ({ http, session }: Service) =>
  queryOptions({
    queryKey: ['identity', 'accounts', session.state.user?.accountId],
    queryFn: async () => (await dataOf(http.GET('/api/identity/accounts'))).items,
  })

export const membersQuery = ({ http }: Service) =>
  queryOptions({
    queryKey: ['identity', 'members'],
    queryFn: async () => (await dataOf(http.GET('/api/identity/members'))).items,
  })

export const invitationsQuery = ({ http }: Service) =>
  queryOptions({
    queryKey: ['identity', 'invitations'],
    queryFn: async () => (await dataOf(http.GET('/api/identity/invitations'))).items,
  })
