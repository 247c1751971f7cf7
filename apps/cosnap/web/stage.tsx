import { Button, Compare, PhotoPicture, useService } from '@seaworthy/ui'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { type CSSProperties, useDeferredValue, useEffect, useState } from 'react'
import type { Chosen } from './photo-page.tsx'
import { type Photo, previewQuery, type Run } from './queries.ts'

interface StageProps {
  readonly photo: Photo
  /** Finished, newest first. */
  readonly runs: readonly Run[]
  /** The result that is looked at; the newest when none is chosen and no effect is being tried. */
  readonly shown: string | undefined
  readonly onShow: (runId: string | undefined) => void
  readonly chosen: Chosen | undefined
  readonly nameOf: (effect: string) => string
}

const SIZES = '(min-width: 1000px) 62vw, 100vw'

/** The photo, alone, beside a preview, or beside a result. */
export function Stage({ photo, runs, shown, onShow, chosen, nameOf }: StageProps) {
  const ratio = photo.picture.width / photo.picture.height
  const result = runs.find((run) => run.id === shown) ?? newestOf(runs, chosen) ?? undefined
  const before = <PhotoPicture of={photo.picture} alt={`${photo.name}, before`} sizes={SIZES} eager />
  return (
    <section className="stage" aria-label="Photo">
      <div className="stage-frame" style={{ '--ratio': ratio } as CSSProperties}>
        {result?.result ? (
          <Compare
            ratio={ratio}
            label="Divider between before and after"
            before={before}
            after={
              <PhotoPicture of={result.result} alt={`${photo.name}, ${nameOf(result.effect)}`} sizes={SIZES} eager />
            }
          />
        ) : chosen ? (
          <PreviewCompare photo={photo} chosen={chosen} before={before} ratio={ratio} nameOf={nameOf} />
        ) : (
          <div className="still">{before}</div>
        )}
      </div>
      <div className="stage-foot">
        {result?.result ? (
          <>
            <span className="chip" data-kind="good">
              {nameOf(result.effect)} · {result.strength}% · engine: {result.engine}
            </span>
            <a className="button" data-kind="plain" href={`${result.result.full}&download=${result.effect}`} download>
              <Download size={18} /> Download {result.result.width} × {result.result.height}
            </a>
          </>
        ) : chosen ? (
          <span className="chip">Preview, small and free</span>
        ) : (
          <span className="soft small number">
            {photo.picture.width} × {photo.picture.height}
          </span>
        )}
      </div>
      {runs.length > 0 && <Strip runs={runs} current={result?.id} onShow={onShow} nameOf={nameOf} />}
    </section>
  )
}

/** The finished result of exactly what is chosen, or the newest when nothing is. */
function newestOf(runs: readonly Run[], chosen: Chosen | undefined): Run | undefined {
  if (!chosen) return runs[0]
  return runs.find((run) => run.effect === chosen.effect.id && run.strength === chosen.strength)
}

function PreviewCompare({
  photo,
  chosen,
  before,
  ratio,
  nameOf,
}: {
  readonly photo: Photo
  readonly chosen: Chosen
  readonly before: React.ReactNode
  readonly ratio: number
  readonly nameOf: (effect: string) => string
}) {
  const settled = useSettled(useDeferredValue(chosen.strength), 180)
  const preview = useQuery({
    ...previewQuery(useService(), photo.id, { effect: chosen.effect.id, strength: settled }),
    placeholderData: keepPreviousData,
  })
  const shown = preview.data?.previews[0]
  const waits = preview.isPlaceholderData || preview.isLoading
  return (
    <>
      <Compare
        ratio={ratio}
        label="Divider between before and preview"
        before={before}
        after={shown ? <img src={shown.image} alt={`Preview of ${nameOf(shown.effect)}`} /> : before}
        stale={waits}
      />
      <p className="visually-hidden" role="status">
        {waits ? `Loading the preview of ${chosen.effect.name}` : ''}
      </p>
    </>
  )
}

/** The value once it has not changed for a moment: the slider does not ask for every step it passes. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return settled
}

function Strip({
  runs,
  current,
  onShow,
  nameOf,
}: {
  readonly runs: readonly Run[]
  readonly current: string | undefined
  readonly onShow: (id: string) => void
  readonly nameOf: (effect: string) => string
}) {
  return (
    <ul className="strip" aria-label="Made from this photo">
      {runs.map((run) => (
        <li key={run.id}>
          <Button kind="quiet" className="strip-item" aria-pressed={run.id === current} onClick={() => onShow(run.id)}>
            {run.result && <img src={run.result.thumbnail} alt="" loading="lazy" />}
            <span>{nameOf(run.effect)}</span>
          </Button>
        </li>
      ))}
    </ul>
  )
}
