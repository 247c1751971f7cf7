import { ago, moment } from '../settings/when.ts'
import type { Overview, Point, Store } from './recovery-queries.ts'
import { outcomeKind, outcomeWords, showSize } from './words.ts'

const SHOWN = 4

/** What each store has. Each holds everything. */
export function Stores({ of }: { readonly of: Overview }) {
  return (
    <section className="setting" aria-labelledby="stores">
      <div>
        <h2 id="stores">Recovery points</h2>
        <p className="soft">
          Each store holds everything; from any one of them and the recovery kit all is restored.
          {of.storesAt ? ` Looked at ${ago(of.storesAt)}.` : ''}
        </p>
      </div>
      {of.stores.length === 0 && (
        <p className="card soft">
          No store was looked at yet. <code>npx seaworthy backup</code> makes the first point.
        </p>
      )}
      {of.stores.map((store) => (
        <StoreCard key={store.name} of={store} />
      ))}
    </section>
  )
}

function StoreCard({ of }: { readonly of: Store }) {
  const newest = of.points.slice(-SHOWN).reverse()
  const older = of.points.slice(0, -SHOWN).reverse()
  return (
    <div className="card store">
      <h3>{of.name}</h3>
      {(of.problem ?? of.gap) && <p className="notice">{of.problem ?? `The log has a gap: ${of.gap} is missing.`}</p>}
      <ul className="lines">
        {newest.map((point) => (
          <PointLine key={point.id} of={point} />
        ))}
      </ul>
      {older.length > 0 && (
        <details>
          <summary>{older.length === 1 ? 'One older one' : `${older.length} older ones`}</summary>
          <ul className="lines">
            {older.map((point) => (
              <PointLine key={point.id} of={point} />
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

function PointLine({ of }: { readonly of: Point }) {
  const state = stateOf(of)
  return (
    <li>
      <div>
        <strong>{of.from ? moment(of.from) : of.id}</strong>
        <p className="soft small number">
          {of.problem ??
            `${of.from ? `${ago(of.from)}, ` : ''}${showSize(of.bytes)}, release ${of.release ?? 'unknown'}`}
        </p>
      </div>
      <span className="chip" data-kind={state.kind}>
        {state.words}
      </span>
    </li>
  )
}

/** Read back is not yet restored. */
function stateOf({ problem, shrunken, drill }: Point): { readonly words: string; readonly kind: string | undefined } {
  if (problem) return { words: 'damaged', kind: 'bad' }
  if (shrunken) return { words: 'less than half of the one before', kind: 'bad' }
  if (drill) return { words: outcomeWords[drill.outcome], kind: outcomeKind[drill.outcome] }
  return { words: 'read back, not tried', kind: undefined }
}
