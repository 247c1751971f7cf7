import { existsSync, statSync } from 'node:fs'
import type { Check } from '../check.ts'
import type { Layout } from '../layout.ts'
import type { Containers } from './containers.ts'
import type { Network } from './network.ts'
import { settingsInside } from './settings.ts'
import { isEmpty, mayRead, userOf } from './user.ts'
import type { ContainerUser } from './words.ts'

/** What must be right for a container of this host besides its image. */
export async function checkContainers(containers: Containers, release: string): Promise<readonly Check[]> {
  const { layout } = containers
  const engine = await containers.engine()
  const network = await containers.network()
  const { values, mounts } = settingsInside(layout, { release, isOwner: true })
  const user = userOf(layout, engine)
  const files = mounts.filter(({ mayWrite }) => !mayWrite).map(({ from }) => from)
  return [
    { name: 'engine', ok: true, found: `${engine.kind}, by the program ${engine.program}` },
    checkNetwork(network, values),
    checkData(layout, user),
    checkFiles(files, user),
  ]
}

/** Those whose address must be reached by whoever is told it. */
const elsewhere = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'S3_ENDPOINT', 'BACKUP_S3_ENDPOINT'] as const

function checkNetwork({ name, gateway, isInternal }: Network, values: Readonly<Record<string, string>>): Check {
  const about = `containers are in the network ${name}${isInternal ? ', which leads to this host only' : ''}`
  if (name === 'host') return { name: 'network', ok: true, found: about }
  const hosts = elsewhere.flatMap((setting) => {
    const host = hostOf(values[setting])
    return host ? [{ setting, host }] : []
  })
  const loopback = hosts.find(({ host }) => /^(localhost|127\..*|\[::1\])$/.test(host))
  if (loopback)
    return {
      name: 'network',
      ok: false,
      found: `${loopback.setting} names ${loopback.host}, which is the container itself in a container.`,
      remedy: `in shared/containers.env: ${loopback.setting}=... with host.containers.internal${gateway ? ` (${gateway})` : ''}, where that server must listen`,
    }
  const outside = hosts.find(({ host }) => !host.endsWith('.internal') && host !== gateway)
  if (isInternal && outside)
    return {
      name: 'network',
      ok: false,
      found: `${outside.setting} names ${outside.host}, and ${about}.`,
      remedy: 'podman network create NAME, and CONTAINER_NETWORK=NAME in shared/containers.env',
    }
  return { name: 'network', ok: true, found: about }
}

const hostOf = (address: string | undefined): string | undefined =>
  address && URL.canParse(address) ? new URL(address).hostname : undefined

function checkData({ data }: Layout, user: ContainerUser): Check {
  const { uid } = statSync(data)
  const who = `containers run as ${user.uid}:${user.gid}`
  return uid === user.uid || isEmpty(data)
    ? { name: 'data', ok: true, found: who }
    : {
        name: 'data',
        ok: false,
        found: `${data} belongs to ${uid}, and ${who}.`,
        remedy: `chown -R ${user.uid} ${data}`,
      }
}

function checkFiles(files: readonly string[], user: ContainerUser): Check {
  const missing = files.find((path) => !existsSync(path))
  if (missing) return { name: 'files', ok: false, found: `${missing} is not there.`, remedy: 'correct shared/env' }
  const closed = files.filter((path) => !mayRead(user, path))
  return closed.length === 0
    ? { name: 'files', ok: true, found: `${files.length} files are given to containers` }
    : {
        name: 'files',
        ok: false,
        found: `A container runs as ${user.uid}:${user.gid} and cannot read ${closed.join(', ')}.`,
        remedy: `chown ${user.uid} ${closed.join(' ')}`,
      }
}
