import { ago, moment } from '../settings/when.ts'
import type { Drill, Overview } from './recovery-queries.ts'
import { outcomeKind, outcomeWords, showSeconds } from './words.ts'

const SHOWN = 5

/** A recovery point counts when it was restored: how that went, and how long it took. */
export function Drills({ of }: { readonly of: Overview }) {
  const newest = of.drills.slice(-SHOWN).reverse()
  const longest = Math.max(1, ...newest.map(({ rtoSeconds }) => rtoSeconds ?? 0))
  return (
    <section className="setting" aria-labelledby="drills">
      <div>
        <h2 id="drills">Restored on trial</h2>
        <p className="soft">
          Each time database, indexes, ledger, files, sealed values and audit are asked, and the apps are used on it.
          {of.trend ? ` The last one took ${of.trend.ratio.toFixed(1)} times as long as those before.` : ''}
        </p>
      </div>
      {newest.length === 0 ? (
        <p className="card soft">
          None was tried yet. The first follows the first recovery point; <code>npx seaworthy drill</code> does it now.
        </p>
      ) : (
        <ol className="card lines">
          {newest.map((drill) => (
            <DrillLine key={drill.at} of={drill} longest={longest} />
          ))}
        </ol>
      )}
    </section>
  )
}

function DrillLine({ of, longest }: { readonly of: Drill; readonly longest: number }) {
  return (
    <li>
      <div>
        <strong>{moment(of.at)}</strong>{' '}
        <span className="chip" data-kind={outcomeKind[of.outcome]}>
          {outcomeWords[of.outcome]}
        </span>
        <p className="soft small number">{drillWords(of)}</p>
      </div>
      {of.rtoSeconds !== null && (
        <svg className="drill-time" aria-hidden="true">
          <rect className="track" width="100%" height="8" rx="4" />
          <rect width={`${Math.max(4, (100 * of.rtoSeconds) / longest)}%`} height="8" rx="4" />
        </svg>
      )}
    </li>
  )
}

function drillWords({ outcome, problem, point, rtoSeconds, rpoSeconds, apart, at }: Drill): string {
  const what = `${point ?? 'no point'}, ${ago(at)}`
  if (outcome !== 'passed') return `${what}: ${problem ?? 'no reason is known'}`
  const loss = rpoSeconds === null ? '' : `, ${showSeconds(rpoSeconds)} of writing would be lost`
  return `${what}: back in ${showSeconds(rtoSeconds)}${loss}${apart === false ? ', not apart from this system' : ''}`
}
