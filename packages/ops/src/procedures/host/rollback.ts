import { beginRelease, untilReady } from './begin.ts'
import type { Host } from './host.ts'
import { openJournal } from './journal.ts'
import { takeLock } from './lock.ts'
import type { Notify } from './notify.ts'
import { recover, revert } from './recover.ts'
import { drain, serveWith } from './serve.ts'
import { pointSlots } from './slots.ts'
import { type Finished, readState } from './state.ts'

export interface RollbackSettings {
  /** Undefined: the one that served before. */
  readonly release: string | undefined
  readonly readyMs: number
  /** The release that is left goes on without traffic. */
  readonly keepWarm: boolean
  readonly notify: Notify
  readonly signal: AbortSignal
}

/**
 * Moves all traffic to an earlier release: a switch when that one runs, else it is started first. The schema stays as
 * it is: every release works on the schema of the next. Throws `LockedError`, and when there is no such release.
 */
export async function rollback(host: Host, settings: RollbackSettings): Promise<Finished> {
  const unlock = await takeLock(host.layout, 'rollback', host.by)
  try {
    await recover(host)
    const { serving, previous, releases } = readState(host.layout)
    const target = settings.release ?? previous
    if (!target || !releases.some(({ id }) => id === target))
      throw new Error(
        target
          ? `There is no release ${target} on this host.\n    HINT: seaworthy releases`
          : 'No other release has served here before.\n    HINT: seaworthy releases',
      )
    if (target === serving) throw new Error(`${target} serves already.\n    HINT: seaworthy releases`)
    const finished = await run(host, settings, { target, from: serving })
    await settings.notify(finished)
    return finished
  } finally {
    await unlock()
  }
}

async function run(
  host: Host,
  { readyMs, keepWarm, signal }: RollbackSettings,
  move: { readonly target: string; readonly from: string | undefined },
): Promise<Finished> {
  const { target, from } = move
  const journal = openJournal(host, { kind: 'rollback', ...move })
  try {
    if (!(await host.runner.isAlive(target)))
      await journal.step('start', `start ${target}`, () => beginRelease(host, target))
    await journal.step('ready', 'see that all of it is ready', () => untilReady(host, target, readyMs, signal))
    await journal.step('switch', `all traffic to ${target}`, () => pointSlots(host.layout, target))
  } catch (error) {
    const why = (error as Error).message
    await revert(host, move, readState(host.layout))
    return journal.end('failed', why)
  }
  await journal.step('drain', from ? `let ${from} finish what is under way` : 'nothing to let finish', async () => {
    serveWith(host, target, keepWarm ? from : undefined)
    if (from && !keepWarm) await drain(host, from)
  })
  host.tell('note', `${target} serves.`)
  return journal.end('done')
}
