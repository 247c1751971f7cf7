import { statfsSync } from 'node:fs'
import { SECOND } from '@seaworthy/core'
import { readCertificateDays } from './certificate.ts'
import { environmentOf } from './environment.ts'
import type { Host } from './host.ts'
import { SOCKET_BYTES_MAX, socketPath } from './layout.ts'

export interface PreflightSettings {
  readonly release: string
  /** Where nginx answers; undefined leaves that out. */
  readonly proxyUrl: string | undefined
}

const DISK_MIN = 1024 ** 3
const NODE_MIN = [20, 19] as const
const CERTIFICATE_DAYS_MIN = 7
const PROXY_MS = 5 * SECOND

/** What can be known before anything is changed. All that is wrong at once; throws when something is. */
export async function preflight(host: Host, settings: PreflightSettings): Promise<readonly string[]> {
  const faults: string[] = [...freeOf(host), ...nodeOf(), ...socketOf(host, settings), ...databaseOf(host)]
  const { notes, faults: found } = await askProxy(settings.proxyUrl)
  faults.push(...found)
  if (faults.length) throw new Error(`This host is not ready for a release:\n    ${faults.join('\n    ')}`)
  return notes
}

function freeOf({ layout }: Host): string[] {
  const { bavail, bsize } = statfsSync(layout.root)
  const free = bavail * bsize
  return free < DISK_MIN
    ? [`${layout.root} has ${Math.round(free / 1024 ** 2)} MiB left, of 1024. HINT: du -xsh ${layout.root}/*`]
    : []
}

function nodeOf(): string[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [majorMin, minorMin] = NODE_MIN
  return major > majorMin || (major === majorMin && minor >= minorMin)
    ? []
    : [`Node ${process.versions.node} is older than ${NODE_MIN.join('.')}.`]
}

function socketOf({ layout }: Host, { release }: PreflightSettings): string[] {
  const bytes = Buffer.byteLength(socketPath(layout, release))
  return bytes > SOCKET_BYTES_MAX
    ? [
        `The path of a socket would have ${bytes} bytes, and the kernel takes ${SOCKET_BYTES_MAX}. HINT: a shorter --root`,
      ]
    : []
}

function databaseOf({ layout }: Host): string[] {
  const { DATABASE_URL, DATABASE_URL_FILE } = environmentOf(layout, { isOwner: true })
  return DATABASE_URL || DATABASE_URL_FILE
    ? []
    : [
        `DATABASE_URL is not set: two releases that run side by side need a database that is not part of one of them. HINT: echo DATABASE_URL=postgresql://... >> ${layout.environment}`,
      ]
}

/** Any answer will do: before the first release it is 502. */
async function askProxy(url: string | undefined): Promise<{ notes: string[]; faults: string[] }> {
  if (!url) return { notes: ['nginx was not asked: no --proxy was given'], faults: [] }
  const answers = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PROXY_MS) }).then(
    () => true,
    () => false,
  )
  if (!answers) return { notes: [], faults: [`Nothing answers at ${url}. HINT: nginx -t && systemctl status nginx`] }
  const days = url.startsWith('https:') ? await readCertificateDays(url) : undefined
  if (days === undefined) return { notes: [], faults: [] }
  const text = `the certificate is good for ${days} more days`
  return days < CERTIFICATE_DAYS_MIN
    ? { notes: [], faults: [`At ${url} ${text}. HINT: renew it first`] }
    : { notes: [text], faults: [] }
}
