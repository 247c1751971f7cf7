import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Confirm, Empty, Failure, Skeleton, toast, usePageName, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ArrowLeft, ImageOff, Trash2 } from 'lucide-react'
import { useRef, useState } from 'react'
import './cosnap.css'
import { type EffectInfo, EffectPicker } from './effect-picker.tsx'
import { MakePanel } from './make-panel.tsx'
import { paths } from './paths.ts'
import { effectsQuery, keys, photoQuery, previewQuery, type Run, runsOfQuery } from './queries.ts'
import { RunCard } from './run-card.tsx'
import { Stage } from './stage.tsx'
import { useLiveRuns } from './use-live-runs.ts'

/** One photo: choose an effect, see it small and free, make it, compare. */
export function PhotoPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const service = useService()
  const photo = useQuery(photoQuery(service, id))
  const effects = useQuery(effectsQuery(service))
  const previews = useQuery({ ...previewQuery(service, id), enabled: photo.isSuccess })
  const runs = useQuery(runsOfQuery(service, id))
  useLiveRuns()
  usePageName(photo.data?.name)
  const [chosen, choose] = useChosenEffect(effects.data?.effects)
  const [shown, setShown] = useState<string>()
  const make = useRef<HTMLButtonElement>(null)

  if (photo.isError) return <PhotoFailure error={photo.error} onRetry={() => void photo.refetch()} />
  if (!photo.data) return <PhotoPageShape />
  const all = (runs.data?.items ?? []) as Run[]
  const nameOf = (effect: string): string => effects.data?.effects.find((known) => known.id === effect)?.name ?? effect
  const open = all.filter(
    (run) => run.state === 'queued' || run.state === 'running' || (run.state === 'failed' && run.id === all[0]?.id),
  )
  const images = new Map(previews.data?.previews.map((preview) => [preview.effect, preview.image]))
  return (
    <div className="page editor">
      <div className="editor-head">
        <Link to={paths.studio} activeOptions={{ exact: true }} className="button" data-kind="quiet">
          <ArrowLeft size={18} /> Studio
        </Link>
        <h1 className="file-name">{photo.data.name}</h1>
        <DeletePhoto id={id} />
      </div>
      <Stage
        photo={photo.data}
        runs={all.filter((run) => run.state === 'done')}
        shown={shown}
        onShow={setShown}
        chosen={chosen}
        nameOf={nameOf}
      />
      <aside className="panel">
        {effects.isError && <Failure error={effects.error} onRetry={() => void effects.refetch()} />}
        {previews.isError && <Failure error={previews.error} onRetry={() => void previews.refetch()} />}
        <EffectPicker
          effects={effects.data?.effects ?? []}
          previews={images}
          chosen={chosen?.effect.id}
          onChoose={(effect) => {
            choose(effect)
            setShown(undefined)
          }}
        />
        <MakePanel
          photoId={id}
          chosen={chosen}
          onStrength={(strength) => chosen && choose(chosen.effect, strength)}
          onMade={() => setShown(undefined)}
          button={make}
        />
        {open.map((run) => (
          <RunCard key={run.id} run={run} name={nameOf(run.effect)} onCancelled={() => make.current?.focus()} />
        ))}
      </aside>
    </div>
  )
}

function PhotoFailure({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }) {
  const isGone = error instanceof ApiError && error.problem.status === 404
  return (
    <div className="page">
      {isGone ? (
        <Empty
          wholePage
          icon={<ImageOff size={30} />}
          title="This photo is not here any more"
          action={
            <Link to={paths.studio} className="button" data-kind="main">
              To the studio
            </Link>
          }
        />
      ) : (
        <Failure error={error} onRetry={onRetry} />
      )}
    </div>
  )
}

export interface Chosen {
  readonly effect: EffectInfo
  readonly strength: number
}

/** The effect stands in the address, so that going back, reloading and sharing keep it. */
function useChosenEffect(
  effects: readonly EffectInfo[] | undefined,
): [Chosen | undefined, (effect: EffectInfo, strength?: number) => void] {
  const search = useSearch({ strict: false }) as { effect?: string; strength?: number }
  const navigate = useNavigate()
  const effect = effects?.find((known) => known.id === search.effect)
  const chosen = effect && { effect, strength: Math.min(100, Math.max(0, Number(search.strength ?? effect.strength))) }
  const choose = (next: EffectInfo, strength = next.strength): void => {
    void navigate({ to: '.', search: { effect: next.id, strength } as never, replace: true, resetScroll: false })
  }
  return [chosen, choose]
}

function DeletePhoto({ id }: { readonly id: string }) {
  const { http } = useService()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => dataOf(http.DELETE('/api/cosnap/photos/{id}', { params: { path: { id } } })),
    onSuccess: async () => {
      toast('The photo and everything made from it are deleted.')
      await navigate({ to: paths.studio })
      queries.removeQueries({ queryKey: keys.photo(id) })
      await queries.invalidateQueries({ queryKey: ['cosnap'] })
    },
    onError: (error) => toast(error.message),
  })
  return (
    <>
      <Button
        kind="quiet"
        square
        aria-label="Delete this photo"
        icon={<Trash2 size={18} />}
        onClick={() => setAsking(true)}
        disabled={remove.isPending}
      />
      {asking && (
        <Confirm
          title="Delete this photo?"
          action="Delete photo"
          onConfirm={() => remove.mutate()}
          onClose={() => setAsking(false)}
        >
          Everything made from it goes too. What you paid stays in your history.
        </Confirm>
      )}
    </>
  )
}

function PhotoPageShape() {
  return (
    <div className="page editor" aria-busy="true">
      <div className="editor-head">
        <Skeleton height={28} width="12rem" />
      </div>
      <Skeleton ratio="3 / 2" />
      <Skeleton height={320} />
    </div>
  )
}
