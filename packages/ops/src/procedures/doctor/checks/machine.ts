import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { MINUTE, MiB, SECOND } from '@seaworthy/core'
import { bad, good, none, warn } from '../finding.ts'
import { type Installation, settingsOf } from '../installation.ts'
import type { Check } from './check.ts'
import { onDatabase } from './database.ts'

const NODE_MIN = [20, 19] as const

export const node: Check = {
  title: 'Node',
  look: () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
    const [majorMin, minorMin] = NODE_MIN
    return major > majorMin || (major === majorMin && minor >= minorMin)
      ? good(`${process.versions.node}`)
      : bad(`${process.versions.node} is older than ${NODE_MIN.join('.')}`, 'install a newer Node')
  },
}

/** The same reserve below which the embedded database only reads: a fiftieth of the disk, 32 to 256 MiB. */
const RESERVE = { part: 0.02, min: 32 * MiB, max: 256 * MiB } as const
const WARN_BYTES = 1024 * MiB
const INODES_PART_MIN = 0.02

export const disk: Check = {
  title: 'disk',
  look: (here) => {
    const path = firstThere(settingsOf(here).dataDirectory)
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path)
    const [free, size] = [bavail * bsize, blocks * bsize]
    const reserve = Math.min(RESERVE.max, Math.max(RESERVE.min, size * RESERVE.part))
    const found = `${Math.floor(free / MiB)} MiB of ${Math.floor(size / MiB)} are free for ${path}`
    const next = `make space: du -xh ${path} | sort -h | tail -20`
    if (free < reserve)
      return bad(`${found}: below ${Math.floor(reserve / MiB)} MiB the embedded database only reads`, next)
    if (files > 0 && ffree < files * INODES_PART_MIN)
      return bad(`${ffree} of ${files} inodes are free for ${path}`, next)
    return free < Math.max(2 * reserve, Math.min(WARN_BYTES, size / 10)) ? warn(found, next) : good(found)
  },
}

const firstThere = (path: string): string => (existsSync(path) ? path : firstThere(dirname(path)))

const MEMORY_PART_MIN = 0.05

export const memory: Check = {
  title: 'memory of the machine',
  look: () => {
    const free = available()
    const found = `${Math.floor(free / MiB)} MiB of ${Math.floor(totalmem() / MiB)} are available`
    return free < totalmem() * MEMORY_PART_MIN ? warn(found, 'seaworthy runbook memory-grows') : good(found)
  },
}

/** What could be had without swapping, which is more than what is unused. */
function available(): number {
  try {
    return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1_024
  } catch {
    return freemem()
  }
}

const SKEW_MAX_MS = 5 * SECOND

/** Sign-ins, codes of authenticator apps and certificates are about time. */
export const clock: Check = {
  title: 'clock',
  look: async (here) => {
    const stamp = join(here.directory, 'dist', 'build.json')
    const builtMs = existsSync(stamp) ? statSync(stamp).mtimeMs : 0
    if (Date.now() < builtMs - MINUTE)
      return bad('it is earlier than the build of this program', 'set the clock: timedatectl set-ntp true')
    if (!settingsOf(here).databaseUrl) return good('later than the build; the database is on this machine')
    const before = Date.now()
    const [row] = await here.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    )
    const skewMs = Math.round((row?.ms ?? before) - (before + Date.now()) / 2)
    return Math.abs(skewMs) > SKEW_MAX_MS
      ? bad(`the database is ${skewMs} ms ahead of this machine`, 'set both clocks: timedatectl set-ntp true')
      : good(`${Math.abs(skewMs)} ms from that of the database`)
  },
}

/** A dump of an older program does not read a newer server. */
export const tools: Check = {
  title: 'tools and their servers',
  look: async (here) => {
    const [dump, psql] = await Promise.all([versionOf('pg_dump'), versionOf('psql')])
    if (!dump && !psql) return none('neither pg_dump nor psql is on this machine')
    return onDatabase(here, async () => {
      const server = await serverMajor(here)
      const shown = `server ${server}, pg_dump ${dump ?? 'not here'}, psql ${psql ?? 'not here'}`
      return dump && dump < server
        ? warn(shown, `a dump needs pg_dump ${server} or newer: apt-get install postgresql-client-${server}`)
        : good(shown)
    })
  },
}

const serverMajor = async (here: Installation): Promise<number> => {
  const [row] = await here.query<{ v: number }>(`select current_setting('server_version_num')::int as v`)
  return Math.floor((row?.v ?? 0) / 10_000)
}

async function versionOf(program: string): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 2 * SECOND }).catch(() => ({
    stdout: '',
  }))
  const major = Number(/ (\d+)/.exec(stdout)?.[1])
  return Number.isNaN(major) ? undefined : major
}
