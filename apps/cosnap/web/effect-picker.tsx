import { CoinIcon, Skeleton } from '@seaworthy/ui'

export interface EffectInfo {
  readonly id: string
  readonly name: string
  readonly line: string
  readonly group: string
  readonly cost: number
  readonly strength: number
}

interface EffectPickerProps {
  readonly effects: readonly EffectInfo[]
  readonly previews: ReadonlyMap<string, string>
  readonly chosen: string | undefined
  readonly onChoose: (effect: EffectInfo) => void
}

/** All effects on this very photo. A group of radio buttons, so arrow keys walk through it. */
export function EffectPicker({ effects, previews, chosen, onChoose }: EffectPickerProps) {
  return (
    <fieldset className="effects">
      <legend className="visually-hidden">Effect</legend>
      {effects.map((effect) => (
        <label key={effect.id} className="effect" title={effect.line}>
          <input
            type="radio"
            name="effect"
            value={effect.id}
            checked={effect.id === chosen}
            onChange={() => onChoose(effect)}
          />
          <span className="thumb">
            {previews.has(effect.id) ? (
              <img src={previews.get(effect.id)} alt="" draggable={false} />
            ) : (
              <Skeleton shape="tile" />
            )}
          </span>
          <span className="name">{effect.name}</span>
          <Price credits={effect.cost} />
        </label>
      ))}
    </fieldset>
  )
}

export function Price({ credits }: { readonly credits: number }) {
  return (
    <span className="price number">
      <CoinIcon size={13} />
      {credits}
      <span className="visually-hidden">{credits === 1 ? ' credit' : ' credits'}</span>
    </span>
  )
}
