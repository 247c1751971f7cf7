import { AlertTriangle, ShieldCheck } from 'lucide-react'
import { ago } from '../settings/when.ts'
import type { Overview } from './recovery-queries.ts'
import { TimeLine } from './time-line.tsx'
import { instant, showSeconds } from './words.ts'

/** Whether all is well, in one sentence; then the figures that matter after a loss. */
export function Condition({ of }: { readonly of: Overview }) {
  const passed = of.drills.findLast(({ outcome }) => outcome === 'passed')
  return (
    <section className="setting" aria-labelledby="condition">
      <div>
        <h2 id="condition">Where it stands</h2>
      </div>
      {of.problem ? (
        <div className="notice" role="status">
          <AlertTriangle size={18} aria-hidden="true" />
          <div>
            <strong>A loss now could cost more than it should.</strong> {capital(of.problem)}. What to do:{' '}
            <code>npx seaworthy runbook backups-behind</code>
          </div>
        </div>
      ) : (
        <div className="notice" data-kind="calm" role="status">
          <ShieldCheck size={18} aria-hidden="true" />
          <div>
            <strong>All is well.</strong> The newest recovery point that was restored on trial is young enough, and the
            archive follows what is written.
          </div>
        </div>
      )}
      <div className="card recovery-window">
        <dl className="recovery-figures">
          <Figure name="Go back as far as" value={of.earliest ? instant(of.earliest) : 'nothing yet'} />
          <Figure name="And up to" value={of.latest ? instant(of.latest) : 'nothing yet'} />
          <Figure name="Back after a loss" value={showSeconds(passed?.rtoSeconds ?? null)} />
          <Figure name="Lost with the disk" value={showSeconds(passed?.rpoSeconds ?? null)} />
        </dl>
        {of.earliest && of.latest && <TimeLine of={of} from={of.earliest} until={of.latest} />}
        <p className="soft small">
          A recovery point is made each day at {of.backupAt} UTC and restored on trial{' '}
          {of.drillEveryDays === 1 ? 'afterwards' : `every ${of.drillEveryDays} days`}; how long it took, and how long
          new writing needs to be safe, is measured then. {archiveWords(of)}
        </p>
      </div>
    </section>
  )
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt className="soft small">{name}</dt>
      <dd className="number">{value}</dd>
    </div>
  )
}

function archiveWords({ archive }: Overview): string {
  if (!archive) return 'Nothing was archived yet.'
  if (archive.problem) return `The archive waits: ${archive.problem}.`
  return archive.waitingBytes > 0
    ? 'What was just written is on its way to the stores.'
    : `Everything written was in the stores ${ago(archive.at)}.`
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).replace(/\.$/, '')
