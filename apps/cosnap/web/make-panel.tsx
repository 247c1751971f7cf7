import { dataOf } from '@seaworthy/client'
import { Button, Failure, useOnline, useService } from '@seaworthy/ui'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { WandSparkles } from 'lucide-react'
import { type Ref, useId, useRef } from 'react'
import { Price } from './effect-picker.tsx'
import type { Chosen } from './photo-page.tsx'
import { creditsQuery, keys } from './queries.ts'

interface MakePanelProps {
  readonly photoId: string
  readonly chosen: Chosen | undefined
  readonly onStrength: (strength: number) => void
  readonly onMade: () => void
  readonly button: Ref<HTMLButtonElement>
}

/** How strong, what it costs, and the button that starts it. */
export function MakePanel({ photoId, chosen, onStrength, onMade, button }: MakePanelProps) {
  const service = useService()
  const online = useOnline()
  const credits = useInfiniteQuery(creditsQuery(service))
  const available = credits.data?.pages[0]?.available
  const start = useStart(photoId, onMade)
  const slider = useId()
  const reason = whyNot(chosen, available, online)
  return (
    <div className="make">
      <label htmlFor={slider} className="strength">
        <span>Strength</span>
        <output className="number">{chosen ? `${chosen.strength}%` : ''}</output>
      </label>
      <input
        id={slider}
        className="range"
        type="range"
        min={0}
        max={100}
        step={5}
        value={chosen?.strength ?? 50}
        disabled={!chosen}
        onChange={(event) => onStrength(Number(event.target.value))}
      />
      <div className="make-foot">
        <span className="soft small number">{available === undefined ? '' : `You have ${available} credits`}</span>
        <Button
          ref={button}
          kind="main"
          icon={<WandSparkles size={18} />}
          reason={start.isPending ? 'It is being sent' : reason}
          onClick={() => chosen && start.mutate(chosen)}
        >
          {chosen ? `Make ${chosen.effect.name}` : 'Choose an effect'}
          {chosen && <Price credits={chosen.effect.cost} />}
        </Button>
      </div>
      {reason && chosen && <p className="small soft">{reason}</p>}
      {start.isError && <Failure error={start.error} onRetry={() => chosen && start.mutate(chosen)} />}
    </div>
  )
}

function whyNot(chosen: Chosen | undefined, available: number | undefined, online: boolean): string | undefined {
  if (!chosen) return 'Choose an effect first'
  if (!online) return 'You are offline'
  if (available !== undefined && available < chosen.effect.cost)
    return `This costs ${chosen.effect.cost} ${chosen.effect.cost === 1 ? 'credit' : 'credits'} and you have ${available}. Credits cannot be bought here yet.`
  return undefined
}

/** One key for one wish: trying again after a failure sends the same key, so it is never paid twice. */
function useStart(photoId: string, onMade: () => void) {
  const { http } = useService()
  const queries = useQueryClient()
  const wish = useRef<{ readonly of: string; readonly key: string } | undefined>(undefined)
  return useMutation({
    mutationFn: ({ effect, strength }: Chosen) => {
      const of = `${photoId}/${effect.id}/${strength}`
      if (wish.current?.of !== of) wish.current = { of, key: crypto.randomUUID() }
      return dataOf(
        http.POST('/api/cosnap/runs', {
          params: { header: { 'idempotency-key': wish.current.key } },
          body: { photoId, effect: effect.id as never, strength },
        }),
      )
    },
    onSuccess: async () => {
      wish.current = undefined
      onMade()
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.runs }),
        queries.invalidateQueries({ queryKey: keys.credits }),
      ])
    },
    onError: () => {
      void queries.invalidateQueries({ queryKey: keys.credits })
    },
  })
}
