import { setPriority } from 'node:os'
import { join, resolve } from 'node:path'
import { DAY, parseBytes, showBytes } from '@seaworthy/core'
import { type Config, type RecoverySettings, readConfig } from '@seaworthy/platform/config'
import { openClient } from '@seaworthy/platform/data'
import {
  type DrillReport,
  drill,
  identityOf,
  markDrilled,
  openStore,
  placesOf,
  readDrillHistory,
  recordDrill,
  recordStores,
  type Shelf,
  trendOf,
} from '@seaworthy/platform/recovery'
import { createLogger } from '@seaworthy/platform/telemetry'
import { platformSealedColumns, sealedColumnsOf } from '@seaworthy/platform/vault'
import { adminAddress } from './database.ts'
import { findPlace, loadSystem } from './place.ts'
import { openSources } from './recovery.ts'

export interface DrillFlags {
  readonly store?: string
  readonly kit?: readonly string[]
  readonly json?: boolean
}

const PRIORITY = 10
const PARENT_MS = 1_000

/** `seaworthy drill`. Exit code 1 when the point did not pass, whatever the reason. */
export async function runDrill(point: string | undefined, flags: DrillFlags): Promise<void> {
  setPriority(PRIORITY)
  const { report, former } = await drillOnce(point, flags, stopOnSignals(), (step) =>
    process.stderr.write(`  ${step}\n`),
  )
  const trend = trendOf([...former, report])
  process.stdout.write(
    `${flags.json ? JSON.stringify({ ...report, trend }, undefined, 2) : describe(report, former)}\n`,
  )
  if (report.outcome !== 'passed') process.exitCode = 1
}

/** The scheduled one, started by the supervisor: beside everything else, and with log lines instead of words. */
export async function runScheduledDrill(): Promise<void> {
  setPriority(PRIORITY)
  const log = createLogger({ level: 'info', process: 'drill' })
  try {
    const { report } = await drillOnce(undefined, {}, endedWith(process.ppid), () => undefined)
    const { outcome, point, store, problem, rtoSeconds, rpoSeconds, tookSeconds } = report
    const fields = { point, store, rtoSeconds, rpoSeconds, tookSeconds }
    if (outcome === 'passed') log.info('a recovery point was restored on trial and passed', fields)
    else if (outcome === 'failed')
      log.error('a recovery point could not be restored on trial', { runbook: 'backups-behind', ...fields, problem })
    else log.warn('a recovery point could not be verified', { runbook: 'backups-behind', ...fields, problem })
    process.exitCode = outcome === 'passed' ? 0 : 1
  } catch (error) {
    log.error('no drill could be held', { runbook: 'backups-behind', problem: (error as Error).message })
    process.exitCode = 1
  }
  await log.flush()
}

async function drillOnce(
  point: string | undefined,
  flags: DrillFlags,
  signal: AbortSignal,
  tell: (step: string) => void,
): Promise<{ readonly report: DrillReport; readonly former: readonly DrillReport[] }> {
  const place = findPlace()
  const { shelves, ring, settings } = await openSources({ from: flags.store, kit: flags.kit })
  const config = settings.hasKeys ? readConfig(place.directory) : undefined
  const places = placesOf(settings.dataDirectory)
  const former = await readDrillHistory(places)
  const shelf = longestUntried(shelves, former)
  const { apps } = await loadSystem(place)
  const report = await drill({
    shelf,
    bucket: bucketAccess(settings),
    ring,
    point,
    place: config?.drillDirectory ? join(resolve(config.drillDirectory), 'seaworthy-drill') : places.drill,
    hidden: hiddenFrom(place.directory, settings, shelf),
    memoryBytes: config?.drillMemoryBytes ?? parseBytes('1gb') ?? 0,
    restic: settings.restic,
    columns: [...platformSealedColumns, ...apps.flatMap((app) => sealedColumnsOf(app.tables))],
    auditRetentionMs: config?.auditRetentionMs ?? 3_650 * DAY,
    live: config && (await liveAddress(config)),
    inside: [process.execPath, join(import.meta.dirname, 'drill-inside.js')],
    use: [process.execPath, join(import.meta.dirname, 'drill-use.js')],
    signal,
    tell,
  })
  // Whoever ended it may be about to remove everything; that it was ended says nothing.
  if (signal.aborted) return { report, former }
  await recordDrill(places, report)
  const store = await openStore(shelf, ring).catch(() => undefined)
  // In the store of another installation nothing is written.
  if (config && store?.owner === identityOf(places)) {
    await markDrilled(store, report)
    await recordStores(places, shelves, ring)
  }
  return { report, former }
}

/** Undefined where no bucket is set up. */
function bucketAccess(settings: RecoverySettings) {
  const { backupS3Endpoint: endpoint, backupS3Region: region } = settings
  const { backupS3AccessKeyId: accessKeyId, backupS3SecretAccessKey: secret } = settings
  return endpoint && accessKeyId && secret
    ? { endpoint, region, accessKeyId, secretAccessKey: secret.reveal() }
    : undefined
}

/** Of several stores each has its turn. */
function longestUntried(shelves: readonly Shelf[], former: readonly DrillReport[]): Shelf {
  const triedAt = ({ name }: Shelf): string => former.findLast(({ store }) => store === name)?.at ?? ''
  const [first, ...others] = shelves
  if (!first) throw new Error('there is no store')
  return others.reduce((best, shelf) => (triedAt(shelf) < triedAt(best) ? shelf : best), first)
}

/** The data, whatever else this checkout keeps, its settings, and every store; the one that is tried is seen elsewhere. */
const hiddenFrom = (
  directory: string,
  { dataDirectory, backupStores }: { readonly dataDirectory: string; readonly backupStores: readonly string[] },
  shelf: Shelf,
): readonly string[] =>
  [
    ...new Set([dataDirectory, join(directory, '.seaworthy'), join(directory, '.env'), shelf.name, ...backupStores]),
  ].sort((a, b) => b.length - a.length)

/** Undefined where no database of this installation runs. */
async function liveAddress(config: Config) {
  if (config.databaseUrl) return undefined
  try {
    const { endpoint, admin } = adminAddress(config)
    await (await openClient(endpoint, admin, 'drill')).end()
    return { endpoint, admin, identity: identityOf(placesOf(config.dataDirectory)) }
  } catch {
    return undefined
  }
}

function stopOnSignals(): AbortSignal {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
  return stopping.signal
}

/** Whoever started it may be killed, and can then tell nobody. */
function endedWith(parent: number): AbortSignal {
  const stopping = new AbortController()
  process.once('SIGTERM', () => stopping.abort())
  setInterval(() => process.ppid !== parent && stopping.abort(), PARENT_MS).unref()
  return stopping.signal
}

const seconds = (value: number | undefined): string => (value === undefined ? 'not measured' : `${value.toFixed(1)} s`)

function describe(report: DrillReport, former: readonly DrillReport[]): string {
  const { point, store, outcome, problem, checked, journeys, tookSeconds, bytes, segments, room } = report
  const head = {
    passed: `${point} in ${store} is VERIFIED: restored, asked and used in ${tookSeconds.toFixed(1)} s`,
    failed: `${point} in ${store} FAILED`,
    unknown: `${point ?? 'No point'} in ${store} could not be verified`,
  }[outcome]
  const steps = Object.entries(report.seconds).map(([step, part]) => `  ${step.padEnd(22)} ${part.toFixed(2)} s`)
  const found = checked
    ? [
        `  found well: ${checked.indexes} indexes, ${checked.ledgerLines} lines of the ledger, ${checked.blobs} files, ${checked.sealedValues} sealed values, ${checked.auditLines} lines of the audit`,
        `  used: ${journeys.length ? journeys.join('; ') : 'no app here has a journey'}`,
      ]
    : []
  return [
    head,
    ...(problem ? [`  ${problem}`] : []),
    ...steps,
    ...found,
    ...(outcome === 'passed'
      ? [
          `  back after a loss (RTO): ${seconds(report.rtoSeconds)}${trendWords([...former, report])}; lost with the disk (RPO): ${seconds(report.rpoSeconds)}`,
          `  ${showBytes(bytes ?? 0)} of database and files, ${segments} segments of the log`,
        ]
      : []),
    ...(room ? [`  ${roomWords(room)}`] : []),
    ...(outcome === 'passed' ? [] : ['    HINT: seaworthy runbook backups-behind']),
  ].join('\n')
}

function trendWords(history: readonly DrillReport[]): string {
  const trend = trendOf(history)
  return trend ? `, ${trend.ratio.toFixed(1)} times the middle of the trials before (${trend.median.toFixed(1)} s)` : ''
}

function roomWords({ files, network, memory, memoryBytes, diskFloorBytes }: NonNullable<DrillReport['room']>): string {
  const own =
    files === 'own' ? 'it saw the store and the keys only' : 'NOT APART: this machine allows no mounts of its own'
  const net = network === 'own' ? 'no network' : 'THE NETWORK OF THIS MACHINE'
  const bound =
    memory === 'not limited' ? 'MEMORY NOT LIMITED' : `at most ${showBytes(memoryBytes)} of memory ${memory}`
  return `${own}; ${net}; ${bound}; it would have ended before less than ${showBytes(diskFloorBytes)} of disk were free`
}
