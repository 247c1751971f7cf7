import type { Overview } from './recovery-queries.ts'
import { instant, outcomeWords } from './words.ts'

interface Props {
  readonly of: Overview
  readonly from: string
  readonly until: string
}

/** Every point of every store where it stands between the first and the last instant. The lists below say the same in words. */
export function TimeLine({ of, from, until }: Props) {
  const [start, end] = [Date.parse(from), Date.parse(until)]
  const place = (time: string): string => {
    const part = (Date.parse(time) - start) / Math.max(1, end - start)
    return `${(2 + 96 * Math.min(1, Math.max(0, part))).toFixed(2)}%`
  }
  const known = of.stores.flatMap(({ name, points }) =>
    points.flatMap(({ from: at, ...point }) => (at === null ? [] : { ...point, at, key: `${name} ${point.id}` })),
  )
  return (
    <figure className="time-line">
      <svg role="img" aria-label={`${known.length} recovery points from ${instant(from)} to ${instant(until)}`}>
        <line className="all" x1="2%" x2="98%" y1="50%" y2="50%" />
        {known.map(({ key, at, drill, shrunken }) => (
          <circle
            key={key}
            cx={place(at)}
            cy="50%"
            r={7}
            data-outcome={shrunken ? 'failed' : (drill?.outcome ?? 'none')}
          >
            <title>{`${instant(at)}: ${drill ? outcomeWords[drill.outcome] : 'not tried yet'}`}</title>
          </circle>
        ))}
      </svg>
      <figcaption className="small soft">
        <span>{instant(from)}</span>
        <span>{instant(until)}</span>
      </figcaption>
    </figure>
  )
}
