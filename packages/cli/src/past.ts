import { createInterface } from 'node:readline/promises'
import { type AccountId, isId, MINUTE, pause } from '@seaworthy/core'
import { openCapabilities } from '@seaworthy/platform/boot'
import { type Config, readConfig } from '@seaworthy/platform/config'
import {
  type Database,
  type Endpoint,
  type Login,
  loginOf,
  openClient,
  openDatabase,
  sql,
} from '@seaworthy/platform/data'
import type { MediaRoom } from '@seaworthy/platform/media'
import {
  type Difference,
  findDifference,
  forgetUndo,
  merge,
  readErasures,
  refuseSubject,
  type Sides,
  type Subject,
  undo,
} from '@seaworthy/platform/past'
import { findPerson } from '@seaworthy/platform/privacy'
import {
  closePast,
  findRestic,
  openPast,
  openStore,
  type Past,
  type Plan,
  parseTarget,
  planRestore,
  type Shelf,
} from '@seaworthy/platform/recovery'
import { createHealth, createLogger, createMetrics } from '@seaworthy/platform/telemetry'
import { type KeyRing, openKeyRing, openVault } from '@seaworthy/platform/vault'
import { adminAddress } from './database.ts'
import { describeDifference, describeMerged, toBring, viewOf } from './past-words.ts'
import { findPlace, loadSystem } from './place.ts'
import { bringTheRest, openSources, type RestoreFlags, showProgress } from './recovery.ts'

export type PastFlags = RestoreFlags & {
  readonly account?: string
  readonly table?: string
  readonly takePast?: boolean
  readonly undo?: string
  readonly yes?: boolean
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** `seaworthy restore --account`, `--table` and `--undo`: what runs goes on running. */
export async function runPast(flags: PastFlags): Promise<void> {
  if (flags.into || flags.inPlace)
    throw new Error('One account or one table goes into what runs.\n    HINT: without --into and --in-place')
  if ([flags.account, flags.table, flags.undo].filter(Boolean).length > 1)
    throw new Error('Either --account, or --table, or --undo.')
  const config = readConfig(findPlace().directory)
  await forgetUndo(config.dataDirectory, Date.now())
  await withLive(config, async (live) => {
    if (flags.undo) return undoMerge(live, flags.undo)
    if (!flags.to) throw new Error('As of when?\n    HINT: --to 2026-01-31T12:34:56Z')
    const subject = await subjectOf(live, flags)
    const erasures = await readErasures(config.dataDirectory, undefined)
    await refuseSubject({ live: live.database, tables: await allTables(), erasures }, subject)
    await bringWhatIsWritten(live, flags)
    await withPast(live, flags, (past, plan) => lookAndMerge({ live, past, plan, flags, subject }))
  })
}

/** What runs, as the processes and as an operator have it. */
interface Live {
  readonly config: Config
  readonly ring: KeyRing
  readonly database: Database
  readonly owner: Database
  readonly media: MediaRoom
}

const allTables = async () => (await loadSystem(findPlace())).apps.flatMap((app) => app.tables)

const STATEMENT_MS = 60 * MINUTE
const LOCK = 7305832

async function withLive(config: Config, work: (live: Live) => Promise<void>): Promise<void> {
  const { endpoint, admin } = adminAddress(config)
  const lock = await openClient(endpoint, admin, 'past').catch((error: Error & { code?: string }) => {
    if (error.code !== 'ECONNREFUSED') throw error
    throw new Error('The database does not run.\n    HINT: npm start, and then this in another window', {
      cause: error,
    })
  })
  const log = createLogger({ level: 'error', process: 'command' })
  const capabilities = await openCapabilities(config, endpoint, 'past', {
    log,
    metrics: createMetrics(),
    health: createHealth(),
  })
  const database = open(endpoint, loginOf('app', config.secrets.databaseRoleSecret, endpoint))
  const owner = open(endpoint, admin)
  try {
    const { rows } = await lock.query<{ taken: boolean }>('select pg_try_advisory_lock($1::bigint) as taken', [LOCK])
    if (!rows[0]?.taken)
      throw new Error('Somebody looks at the past already.\n    HINT: wait until that command has ended')
    await work({ config, ring: openKeyRing(config), database, owner, media: capabilities.media })
  } finally {
    await Promise.all([database.close(), owner.close(), capabilities.database.close(), lock.end()])
  }
}

const open = (endpoint: Endpoint, login: Login): Database =>
  openDatabase({
    endpoint,
    login,
    name: 'past',
    limits: { max: 2, waitMs: MINUTE, statementMs: STATEMENT_MS, transactionMs: STATEMENT_MS },
  })

async function subjectOf({ database }: Live, { account, table }: PastFlags): Promise<Subject> {
  if (table) return { kind: 'table', table }
  if (account && isId(account)) return { kind: 'account', accountId: account as AccountId }
  const person = account ? await findPerson(database, { email: account }) : undefined
  const [accountId, ...others] = person?.accountIds ?? []
  if (!accountId)
    throw new Error(
      'There is nobody with this address now. Who was erased does not come back.\n    HINT: --account with the id of an account',
    )
  if (others.length)
    throw new Error(
      `This person has ${others.length + 1} accounts: ${[accountId, ...others].join(', ')}\n    HINT: --account with one of these ids`,
    )
  return { kind: 'account', accountId }
}

const ARCHIVED_MS = MINUTE

/** Everything that is committed in this moment goes to the stores: the instant may have been a second ago. */
async function bringWhatIsWritten({ config, owner, ring }: Live, flags: PastFlags): Promise<void> {
  if (config.databaseUrl || flags.from) return
  const { name } = await owner.withDuty('operations', (tx) =>
    tx.one(sql<{ name: string }>`select pg_walfile_name(pg_switch_wal()) as name`),
  )
  const isArchived = async (): Promise<boolean> => {
    const { done } = await owner.withDuty('operations', (tx) =>
      tx.one(
        sql<{ done: boolean }>`select coalesce(last_archived_wal >= ${name}, false) as done from pg_stat_archiver`,
      ),
    )
    return done
  }
  const end = Date.now() + ARCHIVED_MS
  while (!(await isArchived()) && Date.now() < end) await pause(100)
  const { shelves } = await openSources(flags)
  await bringTheRest(shelves, ring, config.dataDirectory)
}

/** From one store after the other. Whatever happens, nothing is left of it. */
async function withPast(live: Live, flags: PastFlags, work: (past: Past, plan: Plan) => Promise<void>): Promise<void> {
  const { dataDirectory } = live.config
  const { shelves, ring, settings } = await openSources(flags)
  const leave = (): void => void closePast(dataDirectory).finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave)
  const restic = findRestic(settings.restic)
  let last: Error | undefined
  for (const shelf of shelves) {
    const opened = await planFrom(shelf, ring, flags)
      .then(async (plan) => ({
        plan,
        past: await openPast(dataDirectory, { plan, ring, restic, tell: showProgress() }),
      }))
      .catch((error: Error) => {
        last = error
        if (shelves.length > 1) say(`${error.message}\n`)
      })
    if (!opened) continue
    try {
      return await work(opened.past, opened.plan)
    } finally {
      await opened.past.close()
    }
  }
  throw new Error(`${last?.message}\n    Nothing was changed.`, { cause: last })
}

async function planFrom(shelf: Shelf, ring: KeyRing, flags: PastFlags): Promise<Plan> {
  const store = await openStore(shelf, ring)
  if (!store) throw new Error(`${shelf.name} has no recovery points.`)
  const timeline = flags.timeline ? Number(flags.timeline) : undefined
  return planRestore(store, parseTarget(flags.to ?? ''), { pointId: flags.point, timeline })
}

interface Look {
  readonly live: Live
  readonly past: Past
  readonly plan: Plan
  readonly flags: PastFlags
  readonly subject: Subject
}

async function lookAndMerge(look: Look): Promise<void> {
  const { live, plan, flags, subject } = look
  const { dataDirectory } = live.config
  const past = open(look.past.server.endpoint, look.past.server.admin)
  const sides: Sides = { past, live: live.database, liveOwner: live.owner }
  const vaults = { past: openVault({ ring: live.ring }), live: openVault({ ring: live.ring }) }
  const tables = await allTables()
  const erased = () => readErasures(dataDirectory, plan.store)
  try {
    const difference = await findDifference({ sides, vaults, tables, erasures: await erased() }, subject)
    if (!flags.json) print(describeDifference(difference, flags.takePast === true))
    if (!(await isWanted(difference, flags))) {
      if (flags.json) return print(JSON.stringify(viewOf(difference), undefined, 2))
      return print('Nothing was changed.')
    }
    const parts = {
      sides,
      vaults,
      media: live.media,
      plan,
      ring: live.ring,
      dataDirectory,
      readErasures: erased,
      to: flags.to ?? '',
    }
    const merged = await merge(parts, difference, flags.takePast === true)
    print(flags.json ? JSON.stringify({ ...viewOf(difference), merged }, undefined, 2) : describeMerged(merged))
  } finally {
    await past.close()
  }
}

async function isWanted(difference: Difference, { dryRun, yes, takePast, json }: PastFlags): Promise<boolean> {
  const rows = toBring(difference, takePast === true)
  if (dryRun || rows === 0) return false
  if (yes) return true
  if (!process.stdin.isTTY || json) {
    say('    HINT: --yes brings it back')
    return false
  }
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asked.question(`Bring back ${rows} rows into what runs? [y/N] `)
  asked.close()
  return /^y(es)?$/i.test(answer.trim())
}

async function undoMerge({ database, media, ring, config }: Live, id: string): Promise<void> {
  const { dataDirectory } = config
  // What this machine knows counts wherever no store can be asked.
  const sources = config.backupStores.length ? await openSources({}) : undefined
  const store = sources?.shelves[0] ? await openStore(sources.shelves[0], ring).catch(() => undefined) : undefined
  const erased = () => readErasures(dataDirectory, store)
  const { removed, putBack, left } = await undo(
    { live: database, media, ring, dataDirectory, readErasures: erased },
    id,
  )
  print(
    `${removed} rows were taken out again, ${putBack} are as they were before, ${left} were left: changed since, or in use.`,
  )
}
