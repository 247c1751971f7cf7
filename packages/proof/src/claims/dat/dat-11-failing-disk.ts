import { closeSync, openSync, readFileSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { crashAfterWrites } from '../../rig/crash-after-writes.ts'
import { failSyncs } from '../../rig/failing-syncs.ts'
import type { Person } from '../../rig/person.ts'
import { type Run, startRun } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import { breakDisk, mountSmallDisk, repairDisk, type SmallDisk } from '../../rig/small-disk.ts'
import type { Stack } from '../../rig/stack.ts'
import { type SteadyUse, startUse } from '../../rig/steady-use.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSql } from '../../sabotage.ts'

const MiB = 1_024 ** 2
const DISK_BYTES = 460 * MiB
const PER_SECOND = 4
const ALARM_MS = 60_000
const RECOVERY_MS = 20_000
const ALARM = 'a part of the service fails'
/** After that whoever writes on finds nobody who minds. */
const NOTICED_MS = 10_000
/** So long the full disk is written to. */
const PRESSED_MS = 15_000
const PRESS_EACH_MS = 250
const OVERLOAD = 'Too many requests at once'
const ALL_CLEAR = 'a part of the service works again'

export const claim = defineClaim({
  id: 'DAT-11',
  says: 'A full disk, syncs that fail with EIO and a file system that turned read-only under the embedded database: writes answer 503, a full disk is still read from, pages are served throughout, an alarm is raised within a minute, writes go on by themselves once the disk is well, and every acknowledged write is there, also those of the moment before a crash',
  answers: ['D9', 'H14', 'O4', 'S2'],
  witness: 'a loop device that is full, strace, an error of ext4, kill -9, rows compared',
  needs: ['mkfs', 'mount', 'umount', 'e2fsck', 'strace'],
  tier: 'full',
  seconds: 60,
  alone: true,
  limits: {
    'writes during a fault neither done nor refused with 503': exactly(0, 'writes'),
    'reads refused while the disk was full': exactly(0, 'reads'),
    'pages refused': exactly(0, 'pages'),
    'longest time until an alarm': atMost(ALARM_MS, 'ms'),
    'longest time until a write is acknowledged again': atMost(RECOVERY_MS, 'ms'),
    'acknowledged writes missing': exactly(0, 'writes'),
  },
  experiment: async (rig) => {
    const disk = await mountSmallDisk(rig, DISK_BYTES)
    const stack = await rig.start({ environment: { DATA_DIR: disk.path, WORKER_PROCESSES: '0' } })
    // The rest of it is filled in a moment, which nobody who uses it waits for.
    disk.fill(48 * MiB)
    const use = await startUse(rig, stack, PER_SECOND)
    await makePressure(stack)
    const faults: Suffered[] = []
    for (const fault of [fullDisk(use, disk), failingSyncs(rig, disk), brokenDisk(rig, disk)])
      faults.push(
        await suffer(use, fault, faults.some(({ alarmMs }) => alarmMs > ALARM_MS) ? NOTICED_MS : ALARM_MS + 1_000),
      )
    const last = await crash(use, disk)
    // A machine that is too busy refuses before it looks at anything: that tells nothing about disks.
    const answers = (await use.stop()).filter(({ text }) => !text.includes(OVERLOAD))
    const missing = await countMissing(stack, use.person, [...use.acknowledged, ...last])
    const during = answers.filter(({ at }) => faults.some(({ from, to }) => at > from && at < to))
    const wrong = during.filter(({ kind, text }) => kind === 'write' && !/^(202|503 application\/problem)/.test(text))
    const inFull = answers.filter(({ at }) => faults.slice(0, 1).some(({ from, to }) => at > from && at < to))
    const unread = inFull.filter(({ kind, text }) => kind === 'read' && !text.startsWith('200'))
    const pages = during.filter(({ kind, text }) => kind === 'page' && !text.startsWith('200'))
    return {
      measured: {
        'writes during a fault neither done nor refused with 503': wrong.length,
        'reads refused while the disk was full': unread.length,
        'pages refused': pages.length,
        'longest time until an alarm': Math.max(...faults.map(({ alarmMs }) => alarmMs)),
        'longest time until a write is acknowledged again': Math.max(...faults.map(({ recoveryMs }) => recoveryMs)),
        'acknowledged writes missing': missing.length,
      },
      met: {
        ...Object.fromEntries(faults.map(({ name, happened }) => [name, happened])),
        'writes were not done in each fault': faults.every(({ from, to }) =>
          answers.some(({ kind, text, at }) => kind === 'write' && !text.startsWith('202') && at > from && at < to),
        ),
        'the full disk was read from':
          inFull.filter(({ kind, text }) => kind === 'read' && text.startsWith('200')).length > PER_SECOND,
        'writes were acknowledged': use.acknowledged.length > PER_SECOND,
        'writes were acknowledged in the moment before the crash': last.length >= PER_SECOND,
      },
      run: { samples: use.samples, marks: faults.map(({ from, name }) => ({ atMs: from, label: name })) },
      evidence: [
        ...faults.map(
          ({ name, alarmMs, recoveryMs, alarm }) =>
            `${name}: alarm after ${Math.round(alarmMs)} ms, writes again after ${Math.round(recoveryMs)} ms, ${alarm}`,
        ),
        ...[...wrong, ...unread, ...pages].slice(0, 9).map(({ kind, text }) => `${kind}: ${text}`),
      ],
    }
  },
  sabotages: [
    patch(
      'nobody looks how much space is left',
      'packages/platform/src/boot/supervisor.ts',
      'if (embedded) void keepReserve(config.dataDirectory, log, signal)',
      '',
    ),
    patch(
      'what fails is told to nobody who does not ask',
      'packages/platform/src/telemetry/health-watch.ts',
      "log.error('a part of the service fails', { part: name, problem, runbook })",
      '',
    ),
    patch(
      'a refused write is a fault of ours',
      'packages/platform/src/data/sqlstate.ts',
      "'25006': 'unavailable'",
      "'25006': 'internal'",
    ),
    wrongSql(
      'a write is acknowledged before it is on the disk',
      'alter role seaworthy_app set synchronous_commit = off; select pg_terminate_backend(pid) from pg_stat_activity where usename = $$seaworthy_app$$',
    ),
  ],
})

interface Fault {
  readonly name: string
  /** What the alarm must name. */
  readonly part: 'disk' | 'database'
  /** Whether it really came. */
  begin(): Promise<boolean>
  end(): Promise<void>
}

interface Suffered extends Pick<Fault, 'name'> {
  readonly happened: boolean
  /** Milliseconds after the first request. */
  readonly from: number
  readonly to: number
  readonly alarmMs: number
  readonly alarm: string
  readonly recoveryMs: number
}

/** Until somebody who does not ask is told of it, and no longer. */
async function suffer(use: SteadyUse, { name, part, begin, end }: Fault, patienceMs: number): Promise<Suffered> {
  const { stack, samples, now, lastWrite } = use
  const lines = (message: string) => stack.log().filter((line) => line.message === message && line.part === part)
  await until('the last alarm is over', () => lines(ALARM).length === lines(ALL_CLEAR).length, ALARM_MS)
  const seen = lines(ALARM).length
  const from = now()
  const heard = until('an alarm', () => lines(ALARM)[seen], patienceMs).then(
    (line) => ({ line, ms: now() - from }),
    () => ({ line: undefined, ms: Number.POSITIVE_INFINITY }),
  )
  const happened = await begin()
  const { line: value, ms: alarmMs } = await heard
  await until('a write was refused', () => samples.some(({ ok, atMs }) => !ok && atMs > from))
  const to = now()
  await end()
  const endedAt = now()
  const again = await until(
    `writes go on after: ${name}`,
    () => samples.find(({ ok, atMs }) => ok && atMs > to),
    90_000,
  ).catch((cause: Error) => {
    const said = stack.log().filter(({ level }) => level !== 'info')
    throw new Error(
      `${cause.message}; the last write: ${lastWrite()}; the last lines: ${JSON.stringify(said.slice(-4))}`,
    )
  })
  return {
    name,
    happened,
    from,
    to,
    alarmMs,
    alarm: value ? `${value.part}: ${value.problem}` : 'nobody was told',
    recoveryMs: Math.max(0, again.atMs + again.ms - endedAt),
  }
}

const fullDisk = ({ stack, samples, now }: SteadyUse, disk: SmallDisk): Fault => ({
  name: 'the disk was full',
  part: 'disk',
  begin: async () => {
    await disk.fillGently(0)
    const { bavail } = statfsSync(disk.path)
    const fullAt = now()
    const isRefused = () => samples.some(({ ok, atMs }) => !ok && atMs > fullAt)
    await until('a write was refused', isRefused, NOTICED_MS).catch(() => undefined)
    // A database that ends is started again, and ends again: its readers find nobody for most of this time.
    while (now() < fullAt + PRESSED_MS) {
      await pressOn(stack).catch(() => undefined)
      await pause(PRESS_EACH_MS)
    }
    return bavail === 0
  },
  end: async () => disk.empty(),
})

function failingSyncs(rig: Rig, disk: SmallDisk): Fault {
  let stop = (): void => undefined
  return {
    name: 'syncs failed with EIO',
    part: 'database',
    begin: async () => {
      const syncs = await failSyncs(rig, postmasterOf(disk))
      stop = syncs.stop
      return until('a sync failed', () => syncs.count() > 0)
    },
    end: async () => stop(),
  }
}

const brokenDisk = (rig: Rig, disk: SmallDisk): Fault => ({
  name: 'the file system turned read-only',
  part: 'database',
  begin: async () => {
    breakDisk(disk)
    return !canWrite(disk)
  },
  end: () => repairDisk(rig, disk),
})

/** The writes of the moment before it. Resolves when writes go on. */
async function crash({ person, photoId, samples, now }: SteadyUse, disk: SmallDisk): Promise<readonly string[]> {
  const ids = await crashAfterWrites(postmasterOf(disk), async () => {
    const answer = await startRun(person, photoId)
    return answer.status === 202 ? ((await answer.json()) as Run).id : undefined
  })
  const crashedAt = now()
  await until('writes go on after a crash', () => samples.some(({ ok, atMs }) => ok && atMs > crashedAt), 90_000)
  return ids
}

const postmasterOf = ({ path }: SmallDisk): number =>
  Number(readFileSync(join(path, 'database', 'postmaster.pid'), 'utf8').split('\n')[0])

function canWrite({ path }: SmallDisk): boolean {
  try {
    closeSync(openSync(join(path, 'probe'), 'w'))
    return true
  } catch {
    return false
  }
}

/** A table of somebody's that is changed all the time: it takes no more space itself, but the log of the database does. */
async function makePressure(stack: Stack): Promise<void> {
  const client = await stack.database('admin')
  await client.query(
    'create table public.pressure with (fillfactor = 10) as select i, 0 as n from generate_series(1, 8000) i',
  )
  await client.query('vacuum public.pressure')
}

/** Changes it, refused or not, more often than the full disk has space for, or until the connection breaks. */
async function pressOn(stack: Stack): Promise<void> {
  const client = await stack.database('admin')
  let isOpen = true
  client.once('end', () => {
    isOpen = false
  })
  for (let times = 0; times < 100 && isOpen; times++)
    await client.query('update public.pressure set n = n + 1').catch(() => undefined)
}

async function countMissing(stack: Stack, person: Person, ids: readonly string[]): Promise<string[]> {
  const { rows } = await (await stack.database('admin')).query<{ id: string }>(
    'select id from cosnap.runs where account_id = $1',
    [person.accountId],
  )
  const kept = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !kept.has(id))
}
