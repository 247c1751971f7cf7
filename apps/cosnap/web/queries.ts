import { dataOf } from '@seaworthy/client'
import type { Service } from '@seaworthy/ui'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'

/** What Cosnap's pages read. Keys begin with `cosnap`, so that one line can make all of it fresh. */
export const keys = {
  photos: ['cosnap', 'photos'],
  photo: (id: string) => ['cosnap', 'photo', id],
  runs: ['cosnap', 'runs'],
  runsOf: (photoId: string) => ['cosnap', 'runs', 'of', photoId],
  gallery: ['cosnap', 'runs', 'gallery'],
  credits: ['cosnap', 'credits'],
} as const

const MINUTE = 60_000
const nextOf = (page: { next: string | null }) => page.next ?? undefined

export const photosQuery = ({ http }: Service) =>
  infiniteQueryOptions({
    queryKey: keys.photos,
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/cosnap/photos', {
          params: { query: { limit: 24, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextOf,
    staleTime: MINUTE,
  })

export const photoQuery = ({ http }: Service, id: string) =>
  queryOptions({
    queryKey: keys.photo(id),
    queryFn: () => dataOf(http.GET('/api/cosnap/photos/{id}', { params: { path: { id } } })),
    staleTime: 10 * MINUTE,
  })

export const effectsQuery = ({ http }: Service) =>
  queryOptions({
    queryKey: ['cosnap', 'effects'],
    queryFn: () => dataOf(http.GET('/api/cosnap/effects')),
    staleTime: Number.POSITIVE_INFINITY,
  })

/** All effects small, or one of them larger and with the strength of the slider. */
export const previewQuery = (
  { http }: Service,
  id: string,
  one?: { readonly effect: string; readonly strength: number },
) =>
  queryOptions({
    queryKey: ['cosnap', 'previews', id, one ?? 'all'],
    queryFn: ({ signal }) =>
      dataOf(
        http.GET('/api/cosnap/photos/{id}/previews', {
          params: { path: { id }, ...(one ? { query: one as never } : {}) },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 5 * MINUTE,
  })

export const runsOfQuery = ({ http }: Service, photoId: string) =>
  queryOptions({
    queryKey: keys.runsOf(photoId),
    queryFn: () => dataOf(http.GET('/api/cosnap/runs', { params: { query: { photoId, limit: 24 } } })),
    staleTime: MINUTE,
  })

export const galleryQuery = ({ http }: Service) =>
  infiniteQueryOptions({
    queryKey: keys.gallery,
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/cosnap/runs', {
          params: { query: { state: 'done', limit: 24, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextOf,
    staleTime: MINUTE,
  })

export const creditsQuery = ({ http }: Service) =>
  infiniteQueryOptions({
    queryKey: keys.credits,
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/cosnap/credits', {
          params: { query: { limit: 24, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: nextOf,
    staleTime: MINUTE,
  })

export type Photo = Awaited<ReturnType<NonNullable<ReturnType<typeof photoQuery>['queryFn']>>> & object
export type RunPage = { items: Run[]; next: string | null }
export interface Run {
  id: string
  photoId: string
  effect: string
  strength: number
  cost: number
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  jobId: string
  progress: number
  ahead: number
  engine: string | null
  error: string | null
  createdAt: string
  finishedAt: string | null
  result: { width: number; height: number; full: string; avif: string; webp: string; thumbnail: string } | null
}
