import { SECOND } from '@seaworthy/core'
import type { Position } from './positions.ts'
import { positionNow } from './positions.ts'
import type { Probe } from './probe.ts'

/** Why a read goes to the primary: it has shown no position, the replica is not used, or has not replayed enough. */
export type WhyPrimary = 'unseen' | 'away' | 'behind'

export interface ReplicaWatch {
  /** What a replica must have replayed to answer somebody who has seen `position`, or why it is not asked now. */
  needed(position: Position | undefined): Position | WhyPrimary
  /** Why it is not used; undefined while it is. */
  problem(): string | undefined
  /** For how long commits may have been missing there, in milliseconds. */
  lagMs(): number
  close(): Promise<void>
}

export interface PrimaryAnswer {
  readonly position: Position | null
  readonly system: string
}

export interface ReplicaAnswer {
  readonly standby: boolean
  readonly replayed: Position | null
  readonly system: string
}

export interface WatchSettings {
  readonly primary: Probe<PrimaryAnswer>
  readonly replica: Probe<ReplicaAnswer>
  /** No read is answered with a state that is older. */
  readonly lagMaxMs: number
  readonly tickMs?: number
  readonly onJoin: (lagMs: number) => void
  /** `unreachable`: whatever is under way there will not be answered. */
  readonly onLeave: (why: string, unreachable: boolean) => void
}

const system = '(select system_identifier::text from pg_control_system()) as system'
export const primaryQuestion = `${positionNow}, ${system}`
export const replicaQuestion = `select pg_is_in_recovery() as standby,
  pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint as replayed, ${system}`

const STARTING = 'it has not caught up yet'
const TICK_MS = SECOND / 2
const SAMPLES_MAX = 120

/**
 * Asks both servers twice a second how far they are. The lag is measured by our own clock between the two, so it does
 * not grow while nobody writes, and it does when the standby has lost its primary and believes to have all of it.
 */
export function watchReplica(settings: WatchSettings): ReplicaWatch {
  const { lagMaxMs, tickMs = TICK_MS } = settings
  const distance = createDistance(lagMaxMs)
  let problem: string | undefined = STARTING
  const tick = async (): Promise<void> => {
    const atMs = performance.now()
    const [primary, replica] = await askBoth(settings)
    distance.note(atMs, primary?.position ?? undefined, isAnswer(replica) ? replica.replayed : null)
    const was = problem
    const useless = whyUseless(primary, replica)
    problem = useless ?? whyLate({ was, lagMs: distance.lagMs(), lagMaxMs, isKnown: primary !== undefined })
    if (was !== undefined && problem === undefined) settings.onJoin(distance.lagMs())
    const isNews = was === undefined || was === STARTING
    if (isNews && problem !== undefined && problem !== STARTING) settings.onLeave(problem, useless !== undefined)
  }
  const ticking = every(tickMs, tick)
  return {
    needed: (position) => {
      if (position === undefined) return 'unseen'
      if (problem !== undefined) return 'away'
      const floor = distance.floor()
      if (floor === undefined) return 'away'
      const needed = Math.max(position, floor)
      return distance.replayed() >= needed ? needed : 'behind'
    },
    problem: () => problem,
    lagMs: distance.lagMs,
    close: async () => {
      await ticking.stop()
      await Promise.all([settings.primary.close(), settings.replica.close()])
    },
  }
}

/** What lies between the two, in time. */
interface Distance {
  /** What both said; who said nothing is left out. */
  note(atMs: number, primary: Position | undefined, replica: Position | null): void
  lagMs(): number
  /** The oldest state that may be shown now, whenever somebody looked the last time; undefined when nobody knows it. */
  floor(): Position | undefined
  replayed(): Position
}

function createDistance(lagMaxMs: number): Distance {
  /** Where the primary was at a time: whoever has replayed that has everything that was acknowledged before. */
  const samples: { readonly position: Position; readonly atMs: number }[] = []
  // Nothing is known, so it begins with more than it may have to be used.
  let [replayed, freshMs] = [-1, performance.now() - lagMaxMs / 2]
  return {
    note: (atMs, primary, replica) => {
      if (primary !== undefined) samples.push({ position: primary, atMs })
      if (samples.length > SAMPLES_MAX) samples.shift()
      if (replica !== null) replayed = replica
      freshMs = samples.findLast(({ position }) => position <= replayed)?.atMs ?? freshMs
    },
    lagMs: () => performance.now() - freshMs,
    floor: () => {
      const oldestMs = performance.now() - lagMaxMs
      return samples.find(({ atMs }) => atMs >= oldestMs)?.position
    },
    replayed: () => replayed,
  }
}

/** For what no waiting helps: nothing that is under way there will be answered, or may be. */
function whyUseless(primary: PrimaryAnswer | undefined, replica: ReplicaAnswer | Error): string | undefined {
  if (!isAnswer(replica)) return `it does not answer: ${replica.message}`
  if (!replica.standby || replica.replayed === null) return 'it is no standby'
  return primary && primary.system !== replica.system ? 'it is a standby of another server' : undefined
}

interface Lateness {
  readonly was: string | undefined
  readonly lagMs: number
  readonly lagMaxMs: number
  readonly isKnown: boolean
}

/** It comes back when it has caught up, not at the first moment below the bound. */
function whyLate({ was, lagMs, lagMaxMs, isKnown }: Lateness): string | undefined {
  if (lagMs <= (was === undefined ? lagMaxMs : lagMaxMs / 2)) return undefined
  if (was === STARTING && lagMs <= lagMaxMs) return STARTING
  return isKnown ? `it is ${(lagMs / SECOND).toFixed(1)} s behind` : 'the primary does not say how far it is behind'
}

const isAnswer = (answer: ReplicaAnswer | Error): answer is ReplicaAnswer => !(answer instanceof Error)

/** The primary first: what it says must not be younger than what is compared with it. */
async function askBoth({
  primary,
  replica,
}: WatchSettings): Promise<[PrimaryAnswer | undefined, ReplicaAnswer | Error]> {
  const told = await primary.ask().catch(() => undefined)
  return [told, await replica.ask().catch((error: unknown) => error as Error)]
}

function every(ms: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void>
  const next = (): void => {
    working = work().finally(() => {
      if (!stopped) timer = setTimeout(next, ms)
    })
  }
  next()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
      return working
    },
  }
}
