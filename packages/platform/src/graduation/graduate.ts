import { ARRIVING, markMoved, refuseWrites, reopenDatabase } from '../data/index.ts'
import { type Applier, createApplier } from './apply.ts'
import {
  emptyOut,
  finishArrival,
  finishCopy,
  goOnArriving,
  markArriving,
  type Phase,
  putAside,
  readArrival,
} from './arrival.ts'
import { parsePlace, showPlace } from './changes.ts'
import { systemOf } from './checks.ts'
import { type Compared, compareTables } from './compare.ts'
import { copyTable } from './copy.ts'
import {
  closeFeed,
  forgetBefore,
  isFeedThere,
  lookFrom,
  makeStandpoint,
  openFeed,
  readChanges,
  takeInstantNow,
} from './feed.ts'
import { endOthers, holdTables } from './pause.ts'
import { nameOf, openBusySession, openSession, type Session, type Side } from './session.ts'
import { compareShapes, type RoleNames, readShape } from './shape.ts'
import { bringMonths, bringSequences, readTables, type Table } from './tables.ts'

export interface GraduateParts {
  readonly from: Side
  readonly to: Side
  readonly roles: { readonly from: RoleNames; readonly to: RoleNames }
  /** Makes the database and its roles, where they are missing. */
  readonly makeDatabase: () => Promise<void>
  /** What a start of this release does before anything serves. */
  readonly prepare: () => Promise<void>
  /** The longest time in which nobody writes; then everything goes on as before. In milliseconds. */
  readonly pauseMaxMs: number
  /** Has writes refused at once from now on, in words that callers understand; or no more. */
  readonly hold: (isHeld: boolean) => Promise<void>
  /** Whether the hold ends by itself with us: then nobody needs to be kept from writing before the word is given. */
  readonly isHoldOurs: boolean
  /** The word: from now on the new one counts. Done in one step. */
  readonly decide: () => Promise<void>
  readonly tell: (step: string, part?: number) => void
}

export interface Graduated {
  readonly compared: Compared
  /** How long nobody could write. In milliseconds. */
  readonly pauseMs: number
  readonly sequences: number
  /** The name of a database that was left there before. */
  readonly putAside: string | undefined
}

interface Work extends GraduateParts {
  readonly source: Session
  readonly target: Session
  readonly busy: Session
  readonly tables: readonly Table[]
}

const NEAR_CHANGES = 500
const HASHED_IN_PAUSE_BYTES = 32 * 1_048_576
/** So much must be left of the pause when the word is given. */
const MARGIN_MS = 1_000

/** Brings everything from one database to the other while it is written to, compares, and changes over. */
export async function graduate(parts: GraduateParts): Promise<Graduated> {
  const source = await openSession(parts.from)
  const sessions = [source]
  const open = async (opening: Promise<Session>): Promise<Session> => {
    const session = await opening
    sessions.push(session)
    return session
  }
  try {
    const origin = `${await systemOf(source)}/${parts.from.endpoint.database}`
    const arrival = await readArrival(parts.to)
    const aside = arrival.kind === 'left' ? await setAside(parts) : undefined
    if (arrival.kind === 'occupied') throw new Error(`${nameOf(parts.to)} is not empty: nothing there is overwritten.`)
    const goesOn =
      arrival.kind === 'arriving' && arrival.from === origin && arrival.phase !== 'made' && (await isFeedThere(source))
    if (!goesOn) await makeEmpty(parts, origin)
    const work: Work = {
      ...parts,
      source,
      target: await open(openSession(parts.to)),
      busy: await open(openBusySession(parts.to)),
      tables: await readTables(source),
    }
    const place = goesOn ? await goOn(work, arrival.phase, arrival.place) : await copyAll(work)
    const applier = createApplier(work.busy, parsePlace(place))
    parts.tell('following what is written')
    await followClosely(work, applier)
    parts.tell('comparing every row')
    const compared = await compareAll(work, applier)
    await followClosely(work, applier)
    const changed = await changeOver(work, applier)
    parts.tell('tidying up')
    await closeFeed(source)
    await work.target.query(`drop schema if exists ${ARRIVING} cascade`).catch(() => undefined)
    return { ...changed, compared, putAside: aside }
  } finally {
    await Promise.all(sessions.map((session) => session.end().catch(() => undefined)))
  }
}

async function setAside({ to, tell }: GraduateParts): Promise<string> {
  const name = await putAside(to)
  tell(`${nameOf(to)} was left before: kept as ${name}`)
  return name
}

async function makeEmpty({ to, makeDatabase, prepare, tell }: GraduateParts, origin: string): Promise<void> {
  tell('making tables, roles and rights')
  await makeDatabase()
  await markArriving(to, origin)
  await prepare()
}

async function goOn({ tell, target, ...work }: Work, phase: Phase, place: string): Promise<string> {
  tell('going on where it ended')
  if (phase === 'complete') await goOnArriving(target)
  await bringMonths(work.source, target)
  await refuseOtherShape({ ...work, target, tell }, true)
  return place
}

/** Every row as it was at one instant. What is written meanwhile is kept, and comes after it. */
async function copyAll(work: Work): Promise<string> {
  const { from, source, target, tables, tell } = work
  await emptyOut(source, target)
  await refuseOtherShape(work, true)
  const instant = await openFeed(from, source, tables)
  const reader = await openSession(from)
  try {
    await lookFrom(reader, instant)
    const logged = tables.filter(({ isUnlogged }) => !isUnlogged)
    const all = logged.reduce((sum, { bytes }) => sum + bytes, 1)
    let done = 0
    for (const table of logged) {
      tell(`copying ${table.name}`, done / all)
      await copyTable(reader, target, table)
      done += table.bytes
    }
    tell('looking at all keys')
    await finishCopy(target, instant.place)
    await target.query('analyze')
  } finally {
    await reader.end().catch(() => undefined)
  }
  return instant.place
}

/** @param isOpen While it is filled: keys and triggers are not as they will be. */
async function refuseOtherShape(
  { source, target, roles }: Pick<Work, 'source' | 'target' | 'roles' | 'tell'>,
  isOpen: boolean,
): Promise<void> {
  const lines = async (session: Session, names: RoleNames): Promise<readonly string[]> =>
    (await readShape(session, names)).filter((line) => !isOpen || !/^(trigger|key) /.test(line))
  const [here, there] = await Promise.all([lines(source, roles.from), lines(target, roles.to)])
  const difference = compareShapes(here, there)
  if (!difference) return
  const shown = [
    ...difference.missing.map((line) => `only here: ${line}`),
    ...difference.added.map((line) => `only there: ${line}`),
  ]
  throw new Error(
    `The two databases are not made alike:\n    ${shown.slice(0, 8).join('\n    ')}${shown.length > 8 ? `\n    and ${shown.length - 8} more` : ''}\n    HINT: what the release did not make must be moved by hand or removed; a release that was started meanwhile must be the one of this command. Then run it again.`,
  )
}

/** Until so little is new that the rest fits into a short pause. */
async function followClosely(work: Work, applier: Applier): Promise<void> {
  while ((await catchUp(work, applier)) > NEAR_CHANGES);
  await makeStandpoint(work.source)
}

/** Everything that is there now, up to `end` if it is given. How many changes came at once at last. */
async function catchUp({ source }: Work, applier: Applier, end?: bigint): Promise<number> {
  for (let last = 0; ; ) {
    const changes = await readChanges(source)
    if (changes.length === 0) return last
    const { place, isAtEnd } = await applier.apply(changes, end)
    await forgetBefore(source, showPlace(place))
    if (isAtEnd) return last
    last = changes.length
    if (last <= NEAR_CHANGES && end === undefined) return last
  }
}

/** Both as they were at one instant, row by row, while everybody goes on writing to the old one. */
async function compareAll(work: Work, applier: Applier): Promise<Compared> {
  const { from, source, target, tables } = work
  const instant = await takeInstantNow(from)
  const reader = await openSession(from)
  try {
    await lookFrom(reader, instant)
    await catchUp(work, applier, parsePlace(instant.place))
    applier.takeTouched()
    await bringMonths(source, target)
    return await compareTables(
      reader,
      target,
      tables.filter(({ isUnlogged }) => !isUnlogged),
    )
  } finally {
    await reader.end().catch(() => undefined)
  }
}

/** The only time in which nobody writes. What fails here leaves the old one as it was. */
async function changeOver(work: Work, applier: Applier): Promise<{ pauseMs: number; sequences: number }> {
  const { from, source, target, pauseMaxMs, hold, isHoldOurs, decide, tell } = work
  tell(`changing over: nobody writes for at most ${pauseMaxMs / 1_000} s`)
  const started = performance.now()
  let locks: Session | undefined
  let isDecided = false
  try {
    await hold(true)
    locks = await holdTables(from, work.tables)
    if (isHoldOurs) await endOthers(source)
    const sequences = await bringRest(work, applier)
    await finishArrival(target)
    await refuseOtherShape(work, false)
    if (performance.now() - started > pauseMaxMs - MARGIN_MS)
      throw new Error(
        `It would take longer than ${pauseMaxMs / 1_000} s.\n    HINT: run it again when less is written, or with a longer --pause-max`,
      )
    if (!isHoldOurs) await refuseWrites(source, from.endpoint.database)
    await endOthers(source)
    await decide()
    isDecided = true
    const pauseMs = performance.now() - started
    await refuseWrites(source, from.endpoint.database)
    await markMoved(source, nameOf(work.to))
    await endOthers(source)
    return { pauseMs, sequences }
  } catch (error) {
    if (!isDecided) await takeBack(work)
    throw error
  } finally {
    await locks?.end().catch(() => undefined)
  }
}

/** What was written until the tables were held, and what no change tells about. */
async function bringRest(work: Work, applier: Applier): Promise<number> {
  const { source, target, tables } = work
  await flush(source)
  while ((await catchUp(work, applier)) > 0);
  await bringMonths(source, target)
  for (const table of tables.filter(({ isUnlogged }) => isUnlogged)) {
    await target.query(`truncate ${table.name}`)
    await source.query('begin')
    await copyTable(source, target, table)
    await source.query('commit')
  }
  const touched = applier.takeTouched()
  await compareTables(
    source,
    target,
    tables.filter(({ path, isUnlogged }) => isUnlogged || touched.has(path)),
    ({ bytes }) => bytes <= HASHED_IN_PAUSE_BYTES,
  )
  return bringSequences(source, target)
}

/** Changes are told of what is on the disk only: a commit of ours brings there what came before it. */
const flush = (source: Session): Promise<unknown> =>
  source.query(`select pg_logical_emit_message(true, 'seaworthy', 'graduation')`)

/** The old one goes on. */
async function takeBack({ source, target, from, hold }: Work): Promise<void> {
  const steps = [() => reopenDatabase(source, from.endpoint.database), () => hold(false), () => goOnArriving(target)]
  for (const step of steps) await step().catch(() => undefined)
}
