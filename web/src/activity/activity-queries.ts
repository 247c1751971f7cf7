import { dataOf, type Paths } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { routine } from './action-words.ts'
import { type Filters, toQuery } from './filters.ts'

export type Line = Paths['/api/audit']['get']['responses'][200]['content']['application/json']['items'][number]

const PAGE = 30
const except = routine.join(',')

export const linesQuery = ({ http }: Service, filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'lines', filters],
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/audit', {
          params: { query: { limit: PAGE, except, ...toQuery(filters), ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
  })

/** What happened lately at all, to choose from. */
export const actionsQuery = ({ http }: Service) =>
  queryOptions({
    queryKey: ['audit', 'actions'],
    queryFn: async () => (await dataOf(http.GET('/api/audit/statistics'))).actions.map(({ action }) => action),
  })
