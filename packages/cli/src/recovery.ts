import { setPriority } from 'node:os'
import { resolve } from 'node:path'
import { Secret, showBytes } from '@seaworthy/core'
import { lockDataDirectory } from '@seaworthy/platform/boot'
import { readConfig, readRecoverySettings } from '@seaworthy/platform/config'
import {
  type BackUpResult,
  backUpAndRecord,
  type Destination,
  type DrillMark,
  type DrillReport,
  describeStore,
  estimateSeconds,
  findRestic,
  identityOf,
  neededBytes,
  openShelf,
  openStore,
  type Plan,
  parseTarget,
  placesOf,
  planRestore,
  type Restic,
  type Restored,
  readDrillStatus,
  restore,
  type Shelf,
  type StoreView,
  shelvesOf,
  shipOnce,
  type Target,
} from '@seaworthy/platform/recovery'
import { createLogger } from '@seaworthy/platform/telemetry'
import { type KeyRing, openKeyRing, ringOf } from '@seaworthy/platform/vault'
import { adminAddress } from './database.ts'
import { openKitFiles } from './kit-files.ts'
import { findPlace } from './place.ts'

export interface BackupFlags {
  readonly takeOver?: boolean
  readonly json?: boolean
}

export interface RestoreFlags {
  readonly to?: string
  readonly into?: string
  readonly inPlace?: boolean
  readonly from?: string | undefined
  readonly kit?: readonly string[] | undefined
  readonly point?: string
  readonly timeline?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** `seaworthy backup`. Exit code 1 when one store has no new point. */
export async function runBackup({ takeOver, json }: BackupFlags): Promise<void> {
  const { points, failures } = await makePoint((step) => say(`  ${step}`), takeOver)
  if (json) print(JSON.stringify({ points, failures }, undefined, 2))
  else for (const point of points) printPoint(point)
  if (failures.length) throw new Error(failures.map(({ store, problem }) => `${store}: ${problem}`).join('\n'))
}

function printPoint({ store, point, forgotten }: BackUpResult['points'][number]): void {
  print(`${point.id} is in ${store}, read back and verified`)
  print(
    `  ${showBytes(point.base.bytes)} of database, ${point.blobs.count} files; the store grew by ${showBytes(point.base.addedBytes)}; ${(point.tookMs / 1_000).toFixed(1)} s`,
  )
  if (point.isShrunken) print('  WARNING: it is less than half of the one before. No older point goes because of it.')
  if (forgotten.problem) print(`  ${forgotten.problem}`)
  if (forgotten.points.length) print(`  older than BACKUP_RETENTION and gone: ${forgotten.points.join(', ')}`)
}

/** The scheduled one, started by the supervisor: beside everything else, and with log lines instead of words. */
export async function runScheduledBackup(): Promise<void> {
  setPriority(10)
  const log = createLogger({ level: 'info', process: 'backup' })
  try {
    const { points, failures } = await makePoint(() => undefined)
    for (const { store, point, forgotten } of points) {
      const fields = { store, point: point.id, tookMs: point.tookMs, addedBytes: point.base.addedBytes }
      log.info('a recovery point was made and verified', { ...fields, forgotten: forgotten.points.length })
      if (forgotten.problem) log.warn(forgotten.problem)
      if (point.isShrunken)
        log.error('a recovery point is less than half of the one before', { runbook: 'database-gone', ...fields })
    }
    for (const failure of failures)
      log.error('a store has no new recovery point', { runbook: 'backups-behind', ...failure })
    process.exitCode = failures.length ? 1 : 0
  } catch (error) {
    log.error('no recovery point could be made', { runbook: 'backups-behind', problem: (error as Error).message })
    process.exitCode = 1
  }
  await log.flush()
}

function makePoint(tell: (step: string) => void, takeOver = false) {
  const place = findPlace()
  const config = readConfig(place.directory)
  const { endpoint, admin } = adminAddress(config)
  const { version, commit } = place.build
  return backUpAndRecord({
    config,
    endpoint,
    admin,
    ring: openKeyRing(config),
    shelves: shelvesOf(config),
    places: placesOf(config.dataDirectory),
    restic: () => findRestic(config.restic),
    release: { version, commit },
    takeOver,
    tell,
  }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'ECONNREFUSED') throw error
    throw new Error('The database does not run.\n    HINT: npm start, and then this in another window', {
      cause: error,
    })
  })
}

/** `seaworthy backups`. */
export async function printBackups(flags: RestoreFlags): Promise<void> {
  const { shelves, ring } = await openSources(flags)
  const views: StoreView[] = []
  for (const shelf of shelves) views.push(await describeStore(shelf, ring))
  print(flags.json ? JSON.stringify(views, undefined, 2) : views.map(describe).join('\n'))
  if (views.some(({ problem }) => problem)) process.exitCode = 1
}

function describe({ name, points, until, gap, problem }: StoreView): string {
  const lines = points.map(({ id, point, drill, problem: damage }) =>
    point
      ? `  ${id}  ${age(point.from)} old, from ${point.from}, ${showBytes(point.base.bytes + point.blobs.bytes)}, release ${point.release.version}${point.isShrunken ? ', SHRUNKEN' : ', read back'}, ${drillWords(drill)}`
      : `  ${id}  DAMAGED: ${damage}`,
  )
  const end = until
    ? [`  everything can be restored from ${points.find(({ point }) => point)?.point?.from} to ${until}`]
    : []
  return [
    name,
    ...lines,
    ...end,
    ...(gap ? [`  THE LOG HAS A GAP: ${gap} is missing`] : []),
    ...(problem ? [`  ${problem}`] : []),
  ].join('\n')
}

/** Only what was restored is called verified. */
function drillWords(drill: DrillMark | undefined): string {
  if (!drill) return 'not tried yet'
  if (drill.outcome === 'passed')
    return `VERIFIED by a drill ${age(drill.at)} ago${drill.rtoSeconds === undefined ? '' : `, back in ${drill.rtoSeconds.toFixed(1)} s`}`
  return drill.outcome === 'failed' ? `DRILL FAILED: ${drill.problem}` : `could not be verified: ${drill.problem}`
}

function age(at: string): string {
  const minutes = Math.floor((Date.now() - Date.parse(at)) / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`
}

/** `seaworthy restore`. Tries one store after the other; each leaves everything as it was when it fails. */
export async function runRestore(flags: RestoreFlags): Promise<void> {
  if (!flags.to) throw new Error('Up to when?\n    HINT: --to latest, or --to 2026-01-31T12:34:56Z')
  const { shelves, ring, settings } = await openSources(flags)
  const parts = {
    flags,
    ring,
    target: parseTarget(flags.to),
    destination: destinationOf(flags, settings.dataDirectory, ring),
    restic: findRestic(settings.restic),
    last: (await readDrillStatus(placesOf(settings.dataDirectory)))?.last,
  }
  if (flags.inPlace) await bringTheRest(shelves, ring, settings.dataDirectory)
  let last: Error | undefined
  for (const shelf of shelves)
    try {
      return await restoreFrom(shelf, parts)
    } catch (error) {
      last = error as Error
      if (shelves.length > 1) say(`${last.message}\n`)
    }
  throw new Error(`${last?.message}\n    Nothing was changed.`, { cause: last })
}

/** What was archived before everything stopped. Where it cannot be brought, the restore says up to when it comes. */
export async function bringTheRest(shelves: readonly Shelf[], ring: KeyRing, dataDirectory: string): Promise<void> {
  const places = placesOf(dataDirectory)
  const parts = { places, shelves, ring, identity: identityOf(places), spoolBytesMax: Number.POSITIVE_INFINITY }
  const { problems } = await shipOnce(parts)
  for (const { store, problem } of problems) say(`${store}: ${problem}`)
}

interface RestoreParts {
  readonly flags: RestoreFlags
  readonly ring: KeyRing
  readonly target: Target
  readonly destination: Destination
  readonly restic: Restic
  /** The newest trial on this machine, which says how long things take. */
  readonly last: DrillReport | undefined
}

async function restoreFrom(
  shelf: Shelf,
  { flags, ring, target, destination, restic, last }: RestoreParts,
): Promise<void> {
  const store = await openStore(shelf, ring)
  if (!store) throw new Error(`${shelf.name} has no recovery points.`)
  const timeline = flags.timeline ? Number(flags.timeline) : undefined
  const plan = await planRestore(store, target, { pointId: flags.point, timeline })
  say(describePlan(plan, destination, last))
  if (flags.dryRun)
    return print(flags.json ? JSON.stringify(planView(plan, last), undefined, 2) : 'Nothing was changed.')
  const unlock = destination.kind === 'in place' ? lockDataDirectory(destination.dataDirectory) : () => undefined
  try {
    const restored = await restore({ plan, destination, ring, restic, tell: showProgress() })
    print(flags.json ? JSON.stringify(restored, undefined, 2) : describeRestored(restored, destination))
  } finally {
    unlock()
  }
}

export function showProgress(): (step: string, part?: number) => void {
  let last = ''
  return (step, part) => {
    const text = part === undefined ? `  ${step}` : `  ${step}  ${Math.floor(part * 10)}0 %`
    if (text !== last) say(text)
    last = text
  }
}

function destinationOf({ into, inPlace }: RestoreFlags, dataDirectory: string, ring: KeyRing): Destination {
  if (inPlace && into) throw new Error('Either --into or --in-place.')
  if (inPlace) return { kind: 'in place', dataDirectory }
  if (!into)
    throw new Error('Where to?\n    HINT: --into DIRECTORY for beside what is here, or --in-place when nothing runs')
  return { kind: 'beside', directory: resolve(into), keys: secretsOf(ring) }
}

function secretsOf(ring: KeyRing): readonly [Secret, ...Secret[]] {
  const [current, ...old] = ring.all().map(({ bytes }) => new Secret(bytes.toString('hex')))
  if (!current) throw new Error('the ring is empty')
  return [current, ...old]
}

/** Stores, and what opens them: the keys that are here, or a kit. */
export async function openSources({ from, kit }: Pick<RestoreFlags, 'from' | 'kit'>) {
  const directory = findPlace().directory
  const settings = readRecoverySettings(directory)
  const shelves: readonly Shelf[] = from
    ? [openShelf(from.startsWith('s3://') ? from : resolve(from), settings)]
    : shelvesOf(settings)
  if (shelves.length === 0)
    throw new Error(
      'Which store?\n    HINT: --from DIRECTORY, --from s3://bucket/prefix, or export BACKUP_STORES=/mnt/backup',
    )
  if (kit?.length) return { shelves, settings, ring: ringOf(...(await openKitFiles(kit)).keys) }
  if (!settings.hasKeys)
    throw new Error('The keys of the installation are not here.\n    HINT: --kit FILE, with your recovery kit')
  return { shelves, settings, ring: openKeyRing(readConfig(directory)) }
}

const planView = (plan: Plan, last: DrillReport | undefined) => ({
  store: plan.store.shelf.name,
  point: plan.point.id,
  from: plan.point.from,
  until: plan.until.toISOString(),
  timeline: plan.chain.timeline,
  segments: plan.chain.segments.length,
  gap: plan.chain.gap,
  bytes: neededBytes(plan.point, plan.chain.segments.length),
  seconds: estimateSeconds(plan, last),
  release: plan.point.release,
})

function describePlan(plan: Plan, destination: Destination, last: DrillReport | undefined): string {
  const { store, point, segments, bytes, seconds, until, release } = planView(plan, last)
  const where = destination.kind === 'beside' ? destination.directory : `${destination.dataDirectory}, in place`
  return (
    `From ${store}: the point ${point}, ${segments} segments of the log until ${until}.\n` +
    `Into ${where}: up to ${showBytes(bytes)}, about ${seconds} s. It was made by release ${release.version} (${release.commit}).`
  )
}

function describeRestored({ dataDirectory, kept, checked, seconds }: Restored, destination: Destination): string {
  const all = Object.values(seconds).reduce((sum, part) => sum + part, 0)
  const steps = Object.entries(seconds).map(([step, part]) => `  ${step.padEnd(22)} ${part.toFixed(2)} s`)
  return [
    `Restored and checked in ${all.toFixed(1)} s: ${checked.indexes} indexes, ${checked.ledgerLines} lines of the ledger, ${checked.blobs} files.`,
    ...steps,
    ...(kept ? [`The database that was there is in ${kept}: remove it when you need it no more.`] : []),
    `    HINT: ${destination.kind === 'beside' ? `DATA_DIR=${dataDirectory} npm start` : 'npm start'}`,
  ].join('\n')
}
