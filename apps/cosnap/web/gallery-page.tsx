import { dataOf } from '@seaworthy/client'
import { Button, Confirm, Empty, Failure, toast, useService } from '@seaworthy/ui'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Download, Images, Trash2 } from 'lucide-react'
import { useState } from 'react'
import './cosnap.css'
import { paths } from './paths.ts'
import { effectsQuery, galleryQuery, keys, type Run } from './queries.ts'
import { PhotoGridShape } from './studio-page.tsx'
import { useLiveRuns } from './use-live-runs.ts'

/** Everything that was made, newest first. */
export function GalleryPage() {
  const service = useService()
  const gallery = useInfiniteQuery(galleryQuery(service))
  const effects = useQuery(effectsQuery(service))
  useLiveRuns()
  const [doomed, setDoomed] = useState<Run>()
  const remove = useDelete()
  const runs = (gallery.data?.pages.flatMap((page) => page.items) ?? []) as Run[]
  const nameOf = (id: string): string => effects.data?.effects.find((effect) => effect.id === id)?.name ?? id
  return (
    <div className="page">
      <h1>Gallery</h1>
      {gallery.isError && <Failure error={gallery.error} onRetry={() => void gallery.refetch()} />}
      {gallery.isPending && <PhotoGridShape />}
      {gallery.isSuccess && runs.length === 0 && (
        <Empty
          icon={<Images size={30} />}
          title="Nothing made yet"
          action={
            <Link to={paths.studio} className="button" data-kind="main">
              Go to the studio
            </Link>
          }
        >
          Finished effects come here by themselves.
        </Empty>
      )}
      <ul className="photo-grid large">
        {runs.map(
          (run) =>
            run.result && (
              <li key={run.id} className="piece">
                <Link
                  to={paths.photo(run.photoId)}
                  search={{ effect: run.effect, strength: run.strength } as never}
                  className="tile"
                >
                  <img
                    src={run.result.thumbnail}
                    alt={nameOf(run.effect)}
                    width={320}
                    height={Math.round((320 * run.result.height) / run.result.width)}
                    loading="lazy"
                    decoding="async"
                  />
                </Link>
                <div className="piece-foot">
                  <span>
                    <strong>{nameOf(run.effect)}</strong>
                    <br />
                    <time className="soft small" dateTime={run.createdAt}>
                      {new Date(run.createdAt).toLocaleDateString()}
                    </time>
                  </span>
                  <a
                    className="button"
                    data-kind="quiet"
                    data-square
                    href={`${run.result.full}&download=${run.effect}`}
                    download
                    aria-label={`Download ${nameOf(run.effect)}`}
                  >
                    <Download size={18} />
                  </a>
                  <Button
                    kind="quiet"
                    square
                    aria-label={`Delete ${nameOf(run.effect)}`}
                    icon={<Trash2 size={18} />}
                    onClick={() => setDoomed(run)}
                  />
                </div>
              </li>
            ),
        )}
      </ul>
      {gallery.hasNextPage && (
        <Button onClick={() => void gallery.fetchNextPage()} disabled={gallery.isFetchingNextPage}>
          More
        </Button>
      )}
      {doomed && (
        <Confirm
          title={`Delete this ${nameOf(doomed.effect)}?`}
          action="Delete"
          onConfirm={() => remove.mutate(doomed.id)}
          onClose={() => setDoomed(undefined)}
        >
          The photo it was made from stays.
        </Confirm>
      )}
    </div>
  )
}

function useDelete() {
  const { http } = useService()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => dataOf(http.DELETE('/api/cosnap/runs/{id}', { params: { path: { id } } })),
    onSuccess: () => toast('Deleted.'),
    onError: (error) => toast(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.runs }),
  })
}
