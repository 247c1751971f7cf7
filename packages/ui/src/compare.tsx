import { MoveHorizontal } from 'lucide-react'
import { type CSSProperties, type ReactNode, useState } from 'react'

interface CompareProps {
  readonly before: ReactNode
  readonly after: ReactNode
  /** width / height of both. */
  readonly ratio: number
  readonly label: string
  /** The picture after is an old one, and the next is on the way. */
  readonly stale?: boolean
}

/** Before on the left of the divider, after on the right. The divider is a range input. */
export function Compare({ before, after, ratio, label, stale }: CompareProps) {
  const [at, setAt] = useState(50)
  return (
    <div className="compare" style={{ '--at': `${at}%`, aspectRatio: String(ratio) } as CSSProperties}>
      {before}
      <div className="after" aria-busy={stale}>
        {after}
      </div>
      <span className="label" data-side="before" aria-hidden="true">
        Before
      </span>
      <span className="label" data-side="after" aria-hidden="true">
        After
      </span>
      <span className="grip" aria-hidden="true">
        <MoveHorizontal size={20} />
      </span>
      <input
        type="range"
        min={0}
        max={100}
        value={at}
        aria-label={label}
        aria-valuetext={`${at} percent before`}
        onChange={(event) => setAt(Number(event.target.value))}
      />
    </div>
  )
}
