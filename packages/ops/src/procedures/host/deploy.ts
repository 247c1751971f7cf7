import { DAY, MINUTE } from '@seaworthy/core'
import { beginRelease, makeFolders, untilReady } from './begin.ts'
import { wordsOf } from './check.ts'
import { environmentOf } from './environment.ts'
import type { Host } from './host.ts'
import { type OpenJournal, openJournal } from './journal.ts'
import type { Layout } from './layout.ts'
import { takeLock } from './lock.ts'
import type { Notify } from './notify.ts'
import { preflight } from './preflight.ts'
import { prune } from './prune.ts'
import { recover, revert } from './recover.ts'
import { readTrafficOf } from './release-view.ts'
import { drain, serveWith } from './serve.ts'
import { pointSlots, slotsFor } from './slots.ts'
import type { Source } from './source.ts'
import { type Finished, readState, updateState } from './state.ts'
import { noTraffic } from './traffic.ts'
import { watch, whyUnreachable } from './watch.ts'

export interface DeploySettings {
  readonly source: Source
  readonly readyMs: number
  readonly bakeMs: number
  /** The share of traffic that the release gets first, and for how long. */
  readonly canary?: { readonly share: number; readonly forMs: number }
  readonly memoryBytesMax: number
  /** So many releases stay on disk. */
  readonly keep: number
  /** The release before goes on without traffic until the next deploy: going back is a switch. */
  readonly keepWarm: boolean
  readonly smoke: boolean
  readonly proxyUrl: string | undefined
  readonly notify: Notify
  /** Aborted: go back. */
  readonly signal: AbortSignal
}

const MIGRATE_MS = 30 * MINUTE
const SMOKE_MS = 2 * MINUTE

/**
 * Puts a built checkout or an image beside what serves, prepares the database for it, proves that it works, moves the traffic and
 * watches. When anything is wrong with it, traffic is where it was and the outcome says why.
 * Throws `LockedError`, and when this host is not ready for any release.
 */
export async function deploy(host: Host, settings: DeploySettings): Promise<Finished> {
  const { layout } = host
  makeFolders(layout)
  const unlock = await takeLock(layout, 'deploy', host.by)
  try {
    await recover(host)
    const { release } = settings.source
    const from = readState(layout).serving
    if (from === release.id && (await host.runner.isAlive(from))) {
      host.tell('note', `${release.id} serves already: nothing to do.`)
      return nothingToDo(host, release.id)
    }
    const journal = openJournal(host, { kind: 'deploy', target: release.id, from })
    const finished = await run(host, settings, journal, { release, from })
    await settings.notify(finished)
    return finished
  } finally {
    await unlock()
  }
}

interface Move {
  readonly release: Source['release']
  readonly from: string | undefined
}

async function run(host: Host, settings: DeploySettings, journal: OpenJournal, move: Move): Promise<Finished> {
  const { release, from } = move
  try {
    await prepare(host, settings, journal, move)
    await prove(host, settings, journal, release.id)
    await moveTraffic(host, settings, journal, move)
  } catch (error) {
    const why = (error as Error).message
    host.tell('note', `Taken back: ${why}`)
    await revert(host, { target: release.id, from }, readState(host.layout))
    markBad(host, release.id, why)
    return journal.end('failed', why)
  }
  await journal.step('prune', `keep the last ${settings.keep} releases`, () => prune(host, settings.keep))
  host.tell('note', `${release.id} serves.`)
  return journal.end('done')
}

/** Shown by `releases`: whoever wants to go back sees that this is not the one. */
const markBad = ({ layout }: Host, id: string, why: string): unknown =>
  updateState(layout, (state) => ({
    ...state,
    releases: state.releases.map((known) => (known.id === id ? { ...known, bad: why.split('\n')[0] ?? why } : known)),
  }))

/** Nothing that people could notice, except for a database that has more in it than before. */
async function prepare(host: Host, settings: DeploySettings, journal: OpenJournal, { release }: Move): Promise<void> {
  const { layout } = host
  const { id } = release
  await journal.step('preflight', 'look at this host', async () => {
    const { proxyUrl, source, signal } = settings
    const checks = await preflight(host, { proxyUrl, source, signal })
    const faults = checks.filter(({ ok }) => !ok).map(wordsOf)
    if (faults.length) throw new Error(`This host is not ready for a release:\n    ${faults.join('\n    ')}`)
    for (const { found } of checks) host.tell('note', found)
  })
  await journal.step('copy', `take ${settings.source.text}`, async () => {
    await settings.source.bring()
    const record = { ...release, copiedAt: new Date().toISOString() }
    updateState(layout, (state) => ({
      ...state,
      releases: [...state.releases.filter((known) => known.id !== id), record],
    }))
  })
  await journal.step('migrate', 'prepare the database', () => migrate(host, settings, id))
}

const OPERATOR_LINK_MS = 7 * DAY

/** The link that makes the first operator is told once; while it is good nobody asks for another. */
async function migrate({ layout, command, tell }: Host, { signal }: DeploySettings, id: string): Promise<void> {
  const toldAt = Date.parse(readState(layout).operatorLinkAt ?? '')
  const wasTold = Date.now() - toldAt < OPERATOR_LINK_MS
  const asked = ['migrate', '--json', ...(wasTold ? ['--no-operator-link'] : [])]
  const said = await command(id, asked, { timeoutMs: MIGRATE_MS, isOwner: true, signal })
  const { applied = [], operatorLink } = JSON.parse(said) as { applied?: string[]; operatorLink?: string }
  for (const name of applied) tell('note', `applied ${name}`)
  if (!operatorLink) return
  tell('note', `${operatorLink} makes the first operator, once, within 7 days`)
  updateState(layout, (state) => ({ ...state, operatorLinkAt: new Date().toISOString() }))
}

/** As the release itself was told. */
const socketOf = (layout: Layout, release: string): string => environmentOf(layout, { release }).SOCKET ?? ''

/** It runs beside the old one and nobody is sent to it. */
async function prove(host: Host, settings: DeploySettings, journal: OpenJournal, id: string): Promise<void> {
  const { warm, serving } = readState(host.layout)
  await journal.step('start', 'start it beside what serves', async () => {
    if (warm && warm !== id && warm !== serving) await drain(host, warm)
    updateState(host.layout, ({ warm: _, ...state }) => (warm === id ? { ...state, warm } : state))
    await beginRelease(host, id)
  })
  await journal.step('ready', 'wait until all of it is ready', () =>
    untilReady(host, id, settings.readyMs, settings.signal),
  )
  if (settings.smoke)
    await journal.step('smoke', 'use it as somebody would', () =>
      host.command(id, ['journey', '--socket', socketOf(host.layout, id)], {
        timeoutMs: SMOKE_MS,
        isOwner: true,
        signal: settings.signal,
      }),
    )
}

async function moveTraffic(
  host: Host,
  settings: DeploySettings,
  journal: OpenJournal,
  { release: { id }, from }: Move,
): Promise<void> {
  const { layout } = host
  const { canary, memoryBytesMax, signal } = settings
  const about = { release: id, memoryBytesMax, signal }
  const before = from ? await readTrafficOf(layout, from) : noTraffic
  if (canary && from)
    await journal.step('canary', `${slotsFor(canary.share) * 10} % of the traffic to it`, async () => {
      pointSlots(layout, id, 0, slotsFor(canary.share))
      refuse(await watch(host, { ...about, before, beside: from, forMs: canary.forMs }))
    })
  refuse(signal.aborted ? 'it was told to go back' : undefined)
  await journal.step('switch', 'all traffic to it', () => pointSlots(layout, id))
  await journal.step('bake', `watch it for ${settings.bakeMs / 1_000} s`, async () => {
    refuse(await whyUnreachable(settings.proxyUrl, layout))
    refuse(await watch(host, { ...about, before, forMs: settings.bakeMs }))
  })
  await journal.step('drain', from ? `let ${from} finish what is under way` : 'nothing to let finish', async () => {
    serveWith(host, id, settings.keepWarm ? from : undefined)
    if (from && !settings.keepWarm) await drain(host, from)
  })
}

function refuse(why: string | undefined): void {
  if (why) throw new Error(why)
}

function nothingToDo({ by }: Host, target: string): Finished {
  const now = new Date().toISOString()
  return { kind: 'deploy', target, from: target, by, startedAt: now, endedAt: now, steps: [], outcome: 'done' }
}
