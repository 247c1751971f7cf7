import { statfsSync } from 'node:fs'
import { SECOND } from '@seaworthy/core'
import { readCertificateDays } from './certificate.ts'
import type { Check } from './check.ts'
import { askDatabase } from './database-checks.ts'
import { environmentOf } from './environment.ts'
import type { Host } from './host.ts'
import { SOCKET_BYTES_MAX, socketPath } from './layout.ts'
import type { Source } from './source.ts'

export interface PreflightSettings {
  /** Where nginx answers; undefined leaves that out. */
  readonly proxyUrl: string | undefined
  /** What is to be deployed; undefined looks at the host alone. */
  readonly source?: Source
  readonly signal?: AbortSignal
}

const DISK_MIN = 1024 ** 3
const MEBIBYTE = 1024 ** 2
const NODE_MIN = [20, 19] as const
const CERTIFICATE_DAYS_MIN = 7
const PROXY_MS = 5 * SECOND

/**
 * What can be known before anything is changed. With a release to come its own program is asked about the database, as
 * that is the one that must work with it.
 */
export async function preflight(host: Host, settings: PreflightSettings): Promise<readonly Check[]> {
  const { source } = settings
  const seen = [
    checkDisk(host),
    checkNode(),
    ...(source ? [checkSocket(host, source.release.id)] : []),
    checkSettings(host, source),
    ...(await checkProxy(settings.proxyUrl)),
    ...((await source?.checks()) ?? []),
  ]
  // What is already wrong would only be told in other words.
  return source && seen.every(({ ok }) => ok) ? [...seen, ...(await askDatabase(host, source, settings.signal))] : seen
}

function checkDisk({ layout }: Host): Check {
  const { bavail, bsize } = statfsSync(layout.root)
  const free = bavail * bsize
  const found = `${layout.root} has ${Math.round(free / MEBIBYTE)} MiB left`
  return free < DISK_MIN
    ? { name: 'disk', ok: false, found: `${found}, of 1024.`, remedy: `du -xsh ${layout.root}/*` }
    : { name: 'disk', ok: true, found }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [majorMin, minorMin] = NODE_MIN
  const found = `Node ${process.versions.node}`
  return major > majorMin || (major === majorMin && minor >= minorMin)
    ? { name: 'node', ok: true, found }
    : { name: 'node', ok: false, found: `${found} is older than ${NODE_MIN.join('.')}.`, remedy: 'install a newer one' }
}

function checkSocket({ layout }: Host, release: string): Check {
  const bytes = Buffer.byteLength(socketPath(layout, release))
  return bytes > SOCKET_BYTES_MAX
    ? {
        name: 'socket',
        ok: false,
        found: `The path of a socket would have ${bytes} bytes, and the kernel takes ${SOCKET_BYTES_MAX}.`,
        remedy: 'a shorter --root',
      }
    : { name: 'socket', ok: true, found: `sockets are in ${layout.run}` }
}

function checkSettings({ layout }: Host, source: Source | undefined): Check {
  const inContainer = source?.release.image !== undefined
  const { DATABASE_URL, DATABASE_URL_FILE } = environmentOf(layout, { isOwner: true, inContainer })
  return DATABASE_URL || DATABASE_URL_FILE
    ? { name: 'settings', ok: true, found: 'the database is not part of a release' }
    : {
        name: 'settings',
        ok: false,
        found:
          'DATABASE_URL is not set: two releases that run side by side need a database that is not part of one of them.',
        remedy: `echo DATABASE_URL=postgresql://... >> ${layout.environment}`,
      }
}

/** Any answer will do: before the first release it is 502. */
async function checkProxy(url: string | undefined): Promise<readonly Check[]> {
  if (!url) return [{ name: 'nginx', ok: true, found: 'nginx was not asked: no --proxy was given' }]
  const answers = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PROXY_MS) }).then(
    () => true,
    () => false,
  )
  if (!answers)
    return [
      { name: 'nginx', ok: false, found: `Nothing answers at ${url}.`, remedy: 'nginx -t && systemctl status nginx' },
    ]
  const nginx = { name: 'nginx', ok: true, found: `nginx answers at ${url}` }
  return url.startsWith('https:') ? [nginx, await checkCertificate(url)] : [nginx]
}

async function checkCertificate(url: string): Promise<Check> {
  const days = await readCertificateDays(url)
  const found = `the certificate is good for ${days} more days`
  return days < CERTIFICATE_DAYS_MIN
    ? { name: 'certificate', ok: false, found: `At ${url} ${found}.`, remedy: 'renew it first' }
    : { name: 'certificate', ok: true, found }
}
