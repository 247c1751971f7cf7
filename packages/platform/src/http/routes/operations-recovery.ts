import { fault } from '@seaworthy/core'
import { z } from 'zod'
import { route } from '../../definition/index.ts'
import { offerRestore, type Places, readOverview, type Shelf } from '../../recovery/index.ts'
import type { KeyRing } from '../../vault/index.ts'
import { general } from './operations-rates.ts'

export interface RecoveryRoom {
  readonly places: Places
  readonly shelves: readonly Shelf[]
  readonly ring: KeyRing
  readonly drillEveryDays: number
  /** Minutes after midnight, UTC. */
  readonly backupAt: number
  readonly now: () => number
}

const outcome = z.enum(['passed', 'failed', 'unknown'])
const Point = z.object({
  id: z.string(),
  from: z.string().nullable(),
  bytes: z.number().nullable(),
  release: z.string().nullable(),
  shrunken: z.boolean(),
  problem: z.string().nullable(),
  drill: z
    .object({ at: z.string(), outcome, problem: z.string().nullable(), rtoSeconds: z.number().nullable() })
    .nullable(),
})
const Drill = z.object({
  at: z.string(),
  store: z.string(),
  point: z.string().nullable(),
  outcome,
  problem: z.string().nullable(),
  rtoSeconds: z.number().nullable(),
  rpoSeconds: z.number().nullable(),
  tookSeconds: z.number(),
  apart: z.boolean().nullable(),
})
const Overview = z.object({
  /** False: nothing is backed up here. */
  kept: z.boolean(),
  problem: z.string().nullable(),
  earliest: z.string().nullable(),
  latest: z.string().nullable(),
  backupAt: z.string(),
  drillEveryDays: z.number(),
  archive: z.object({ at: z.string(), waitingBytes: z.number(), problem: z.string().nullable() }).nullable(),
  storesAt: z.string().nullable(),
  stores: z.array(
    z.object({ name: z.string(), problem: z.string().nullable(), gap: z.string().nullable(), points: z.array(Point) }),
  ),
  drills: z.array(Drill),
  trend: z.object({ median: z.number(), ratio: z.number() }).nullable(),
})
const Offer = z.object({
  to: z.string(),
  store: z.string(),
  point: z.string(),
  segments: z.number().int(),
  bytes: z.number(),
  seconds: z.number(),
  release: z.string(),
  look: z.string(),
  inPlace: z.string(),
})

/** What can be had back, how it is known, and what to do for it. A restore itself ends this process, so nobody asks it here. */
export const recoveryRoutes = (room: RecoveryRoom | undefined) => [overviewRoute(room), offerRoute(room)] as const

const overviewRoute = (room: RecoveryRoom | undefined) =>
  route({
    name: 'operations.recovery',
    method: 'GET',
    path: '/recovery',
    summary: 'Recovery points, restores on trial, and whether a loss now would cost more than was promised',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    reply: { 200: Overview },
    handle: async () => ({ status: 200, body: room ? await describeRoom(room) : nothingKept }),
  })

const nothingKept: z.infer<typeof Overview> = {
  kept: false,
  problem: null,
  earliest: null,
  latest: null,
  backupAt: '',
  drillEveryDays: 1,
  archive: null,
  storesAt: null,
  stores: [],
  drills: [],
  trend: null,
}

async function describeRoom({
  places,
  drillEveryDays,
  backupAt,
  now,
}: RecoveryRoom): Promise<z.infer<typeof Overview>> {
  const seen = await readOverview(places, now(), drillEveryDays)
  const { archive } = seen
  return {
    kept: true,
    problem: seen.problem ?? null,
    earliest: seen.earliest ?? null,
    latest: seen.latest ?? null,
    backupAt: `${String(Math.floor(backupAt / 60)).padStart(2, '0')}:${String(backupAt % 60).padStart(2, '0')}`,
    drillEveryDays,
    archive: archive
      ? {
          at: new Date(archive.at).toISOString(),
          waitingBytes: archive.waitingBytes,
          problem: archive.problems.map(({ store, problem }) => `${store}: ${problem}`).join('; ') || null,
        }
      : null,
    storesAt: seen.storesAt ?? null,
    stores: seen.stores.map(showStore),
    drills: seen.drills.map(showDrill),
    trend: seen.trend ?? null,
  }
}

type Seen = Awaited<ReturnType<typeof readOverview>>

const showStore = ({ name, problem, gap, points }: Seen['stores'][number]) => ({
  name,
  problem: problem ?? null,
  gap: gap ?? null,
  points: points.map(({ id, point, problem: damage, drill }) => ({
    id,
    from: point?.from ?? null,
    bytes: point ? point.base.bytes + point.blobs.bytes : null,
    release: point?.release.version ?? null,
    shrunken: point?.isShrunken ?? false,
    problem: damage ?? null,
    drill: drill
      ? {
          at: drill.at,
          outcome: drill.outcome,
          problem: drill.problem ?? null,
          rtoSeconds: drill.rtoSeconds ?? null,
        }
      : null,
  })),
})

const showDrill = (report: Seen['drills'][number]) => ({
  at: report.at,
  store: report.store,
  point: report.point ?? null,
  outcome: report.outcome,
  problem: report.problem ?? null,
  rtoSeconds: report.rtoSeconds ?? null,
  rpoSeconds: report.rpoSeconds ?? null,
  tookSeconds: report.tookSeconds,
  apart: report.room ? report.room.files === 'own' && report.room.network === 'own' : null,
})

/** Looks at the stores themselves: `seaworthy restore --dry-run` for somebody at a browser. */
const offerRoute = (room: RecoveryRoom | undefined) =>
  route({
    name: 'operations.recovery.offer',
    method: 'GET',
    path: '/recovery/offer',
    summary: 'What a restore to an instant would do, how long it takes, and the commands for it',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    query: z.strictObject({ to: z.iso.datetime({ offset: true }) }),
    reply: { 200: Offer },
    errors: ['not_found', 'conflict'],
    handle: async ({ query: { to } }) => {
      if (!room) throw fault('not_found', { detail: 'Nothing is backed up here.' })
      const at = new Date(to).toISOString()
      const offer = await offerRestore(room.places, room.shelves, room.ring, at).catch((cause: Error) => {
        throw fault('conflict', { detail: cause.message.replaceAll(/\n\s*HINT: /g, ' '), cause })
      })
      const look = `npx seaworthy restore --to ${at} --into restored-${at.slice(0, 19).replaceAll(/\D/g, '')}`
      return { status: 200, body: { ...offer, to: at, look, inPlace: `npx seaworthy restore --to ${at} --in-place` } }
    },
  })
