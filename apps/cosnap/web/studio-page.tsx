import { Button, Failure, Skeleton, useService } from '@seaworthy/ui'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import './cosnap.css'
import { Dropzone } from './dropzone.tsx'
import { paths } from './paths.ts'
import { photosQuery } from './queries.ts'

/** What stands in the first view is not waited with. */
const FIRST_SEEN = 6

/** Where photos come in. */
export function StudioPage() {
  const photos = useInfiniteQuery(photosQuery(useService()))
  const shown = photos.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="page">
      <h1>Studio</h1>
      <Dropzone />
      {photos.isError && <Failure error={photos.error} onRetry={() => void photos.refetch()} />}
      {photos.isPending && <PhotoGridShape />}
      {shown.length > 0 && (
        <section aria-labelledby="your-photos">
          <h2 id="your-photos">Your photos</h2>
          <ul className="photo-grid">
            {shown.map((photo, i) => (
              <li key={photo.id}>
                <Link to={paths.photo(photo.id)} className="tile">
                  <img
                    src={photo.picture.thumbnail}
                    alt={photo.name}
                    width={320}
                    height={Math.round((320 * photo.picture.height) / photo.picture.width)}
                    loading={i < FIRST_SEEN ? 'eager' : 'lazy'}
                    decoding="async"
                  />
                </Link>
              </li>
            ))}
          </ul>
          {photos.hasNextPage && (
            <Button onClick={() => void photos.fetchNextPage()} disabled={photos.isFetchingNextPage}>
              {photos.isFetchingNextPage ? 'Loading' : 'More photos'}
            </Button>
          )}
        </section>
      )}
    </div>
  )
}

export function PhotoGridShape() {
  return (
    <div className="photo-grid" aria-hidden="true">
      {['a', 'b', 'c', 'd'].map((key) => (
        <Skeleton key={key} shape="tile" />
      ))}
    </div>
  )
}
