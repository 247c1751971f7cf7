import { basename, join } from 'node:path'
import { describeMachine } from '../machine.ts'
import { isGood, keepReport, type Proved, type ProveOptions } from '../prove.ts'
import { progressLine, summaryOf } from '../report/terminal.ts'
import type { Report } from '../result.ts'
import { type AppGiven, readConfigFile } from './config.ts'
import { runGeneralClaims } from './run.ts'

export type ProveAppOptions = Pick<
  ProveOptions,
  'root' | 'commit' | 'names' | 'strict' | 'json' | 'signal' | 'say' | 'print'
> & {
  readonly app: AppGiven
}

const SECONDS_EACH = 1

/** Runs the general claims on somebody's app; its report lies in a folder of its own. */
export async function proveApp(options: ProveAppOptions): Promise<Proved> {
  const { root, names, signal, say, print, json } = options
  // Of what judges: the app's own is not known.
  const commit = `prover ${options.commit}`
  const file = await readConfigFile(options.app)
  const [startedAt, began] = [new Date().toISOString(), performance.now()]
  const results = await runGeneralClaims({
    file,
    commit,
    signal,
    ids: names,
    onResult: (done, left) => say(progressLine({ done, left, secondsLeft: left * SECONDS_EACH })),
  })
  if (signal.aborted) throw new Error('Stopped. Everything that was started is ended.')
  const seconds = (performance.now() - began) / 1_000
  const report: Report = { startedAt, seconds, seed: 0, commit, machine: describeMachine([]), results }
  const proofs = join(root, '.seaworthy', 'proofs')
  const html = keepReport(report, join(proofs, nameOf(options.app)), { json, print, keyDirectory: proofs })
  if (!json) print(summaryOf(report))
  return { ok: results.every((result) => isGood(result, options.strict)), html }
}

const nameOf = ({ file, url = '' }: AppGiven): string =>
  file ? basename(file) : new URL(url).host.replace(/[^\w.-]/g, '-')
