import { dataOf, type Paths } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'
import { queryOptions } from '@tanstack/react-query'

export type Overview = Paths['/api/operations/recovery']['get']['responses'][200]['content']['application/json']
export type Offer = Paths['/api/operations/recovery/offer']['get']['responses'][200]['content']['application/json']
export type Drill = Overview['drills'][number]
export type Store = Overview['stores'][number]
export type Point = Store['points'][number]

const REFRESH_MS = 15_000

export const overviewQuery = ({ http }: Service) =>
  queryOptions({
    queryKey: ['operations', 'recovery'],
    queryFn: () => dataOf(http.GET('/api/operations/recovery')),
    refetchInterval: REFRESH_MS,
  })

/** What a restore to an instant would do. Asks the stores themselves, so it is asked only when somebody wants to know. */
export const askOffer = ({ http }: Service, to: string): Promise<Offer> =>
  dataOf(http.GET('/api/operations/recovery/offer', { params: { query: { to } } }))
