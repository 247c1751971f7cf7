import { MoveHorizontal } from 'lucide-react'
import { type CSSProperties, type ReactNode, useState } from 'react'

interface CompareProps {
  readonly before: ReactNode
  readonly after: ReactNode
  /** width / height of both; left out where the pictures say it by their own width and height. */
  readonly ratio?: number
  readonly label: string
  /** The picture after is an old one, and the next is on the way. */
  readonly stale?: boolean
}

/** Where the style sheet has it. */
const MIDDLE = 50

/** Before on the left of the divider, after on the right. The divider is a range input. */
export function Compare({ before, after, ratio, label, stale }: CompareProps) {
  const [at, setAt] = useState(MIDDLE)
  return (
    <div className="compare" style={styleOf(at, ratio)}>
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

/** None as it is at first: a prerendered page must not carry styles of its own, which the policy forbids. */
function styleOf(at: number, ratio: number | undefined): CSSProperties | undefined {
  if (at === MIDDLE && ratio === undefined) return undefined
  return { '--at': `${at}%`, ...(ratio === undefined ? {} : { aspectRatio: String(ratio) }) } as CSSProperties
}
