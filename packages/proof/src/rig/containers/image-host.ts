import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect as openSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Badness, spoil } from '../bad-release.ts'
import { makeAuthority, present } from '../certificates.ts'
import { openClient } from '../database.ts'
import { type Host, openHost } from '../host.ts'
import type { Rig } from '../rig.ts'
import { engineEnvironment, podman, storeOptions, tryPodman } from './engine.ts'
import { keepImage, renderTargets } from './images.ts'

/** The programs that a claim about containers of one host needs. */
export const imageHostPrograms = ['nginx', 'openssl', 'podman', 'runc', 'debootstrap'] as const

/** A host whose releases are images. */
export interface ImageHost extends Host {
  /** Where the command line comes from. */
  readonly tools: string
  /** The product as an image. */
  readonly good: string
  /** An image like it in which a file is another: with this fault, or only another mark. */
  vary(name: string, badness?: Badness): Promise<string>
  /** Ids of the containers that serve here, with their first process. */
  containers(): Promise<readonly { readonly id: string; readonly pid: number }[]>
}

/** As containers call the host that they are on. */
const NAME_OF_HOST = 'host.containers.internal'
const GOOD = 'localhost/proof/released:good'

/** A host with nginx whose containers are in an internal network of their own, and reach the database by this host. */
export async function openImageHost(rig: Rig, environment: Readonly<Record<string, string>>): Promise<ImageHost> {
  await keepImage(await renderTargets(rig, 'image'), GOOD)
  const host = await openHost(rig, environment)
  const mark = rig.scratch
    .replace(/[^a-z0-9]/gi, '')
    .slice(-8)
    .toLowerCase()
  const network = `proof${mark}`
  await podman('network', 'create', '--internal', network)
  // Whatever an experiment that broke has left is in this network, and named by its own root.
  rig.defer(() => removeAll(host.root, network, mark))
  const gateway = await gatewayOf(network)
  // The address of this host is there while somebody is in the network.
  const idle = ['--detach', '--rm', '--name', network, '--network', network, '--entrypoint', 'node']
  await podman('run', ...idle, GOOD, '-e', 'setInterval(() => undefined, 1e9)')
  const { port } = new URL(host.databaseUrl)
  await forward(rig, gateway, Number(port))
  const settings = {
    CONTAINER_ENGINE: writeEngine(rig),
    CONTAINER_NETWORK: network,
    DATABASE_URL: host.databaseUrl.replace('127.0.0.1', NAME_OF_HOST),
    // Whoever is not on loopback speaks TLS.
    DB_CA_FILE: await speakTls(rig, host),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(host.root, 'shared', 'containers.env'), lines.join(''), { mode: 0o600 })
  return {
    ...host,
    tools: rig.product,
    good: GOOD,
    vary: (name, badness) => vary(rig, host, `localhost/proof/released:${mark}-${name}`, name, badness),
    containers: () => containersIn(host.root),
  }
}

/** The database shows a certificate for the name by which containers call it. Gives the file of who signed it. */
async function speakTls(rig: Rig, host: Host): Promise<string> {
  const authority = await makeAuthority(rig, 'database')
  const admin = await openClient(host.databaseUrl.replace(/[^/]*$/, 'postgres'))
  await present(rig, admin, await authority.sign('server', `DNS:${NAME_OF_HOST}`))
  await admin.end()
  return authority.certificate
}

/** Podman on the store of the proofs, as a program without options. */
function writeEngine(rig: Rig): string {
  const file = join(rig.scratch, 'podman')
  const settings = Object.entries(engineEnvironment()).map(([name, value]) => `${name}=${value}`)
  const words = ['exec', 'env', ...settings, rig.program('podman'), ...storeOptions].map((word) => `'${word}'`)
  writeFileSync(file, `#!/bin/sh\n${words.join(' ')} "$@"\n`, { mode: 0o755 })
  return file
}

async function gatewayOf(network: string): Promise<string> {
  const [found] = JSON.parse(await podman('network', 'inspect', network)) as {
    subnets?: readonly { readonly gateway?: string }[]
  }[]
  const gateway = found?.subnets?.[0]?.gateway
  if (!gateway) throw new Error(`the network ${network} has no gateway`)
  return gateway
}

/** The database listens on loopback only: here it is reached by who is in that network, as an operator would let it. */
async function forward(rig: Rig, host: string, port: number): Promise<void> {
  const open = new Set<Socket>()
  const server = createServer((incoming) => {
    const outgoing = openSocket(port, '127.0.0.1')
    for (const socket of [incoming, outgoing]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      socket.once('error', () => {
        incoming.destroy()
        outgoing.destroy()
      })
    }
    incoming.pipe(outgoing).pipe(incoming)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  rig.defer(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
}

const changed = {
  mark: 'dist/name',
  start: 'packages/cli/dist/main.js',
  serve: 'packages/platform/dist/http/serve.js',
} as const

async function vary(rig: Rig, host: Host, tag: string, name: string, badness?: Badness): Promise<string> {
  const copy = host.checkout(name)
  if (badness) spoil(copy, badness)
  const context = join(rig.scratch, `context-${name}`)
  const files = Object.values(changed)
  for (const file of files) {
    mkdirSync(join(context, file, '..'), { recursive: true })
    cpSync(join(copy, file), join(context, file))
  }
  const lines = files.map((file) => `COPY ${file} /app/${file}`)
  writeFileSync(join(context, 'Dockerfile'), `FROM ${GOOD}\n${lines.join('\n')}\n`)
  await podman('build', '--quiet', '--format', 'docker', '--tag', tag, context)
  return tag
}

async function containersIn(root: string): Promise<readonly { readonly id: string; readonly pid: number }[]> {
  const ids = await podman('ps', '--quiet', '--filter', `label=seaworthy.root=${root}`)
  return Promise.all(
    ids
      .split('\n')
      .filter(Boolean)
      .map(async (id) => ({ id, pid: Number(await podman('inspect', '--format', '{{.State.Pid}}', id)) })),
  )
}

/** Containers, their network, and the names that images were given. */
async function removeAll(root: string, network: string, mark: string): Promise<void> {
  const named = await podman('ps', '--all', '--format', '{{.Names}}', '--filter', `label=seaworthy.root=${root}`)
  const containers = named.split('\n').filter(Boolean)
  for (const name of [...containers, network]) await tryPodman('rm', '--force', '--time', '2', name)
  await tryPodman('network', 'rm', '--force', network)
  const kept = new Set(containers.map((name) => `localhost/${name.replace(/-image-.*$/, '')}:image-`))
  const images = (await podman('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n')
  const ours = (name: string): boolean =>
    name.includes(`/released:${mark}-`) || [...kept].some((k) => name.startsWith(k))
  for (const name of images.filter(ours)) await tryPodman('image', 'rm', name)
}

/** What the kernel says of a process: whether it is confined as every container of the product. */
export function confinementOf(pid: number): readonly string[] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
  const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === '/')
  const powers = ['CapEff', 'CapPrm', 'CapBnd'].some((name) => BigInt(`0x${field(name)}`) !== 0n)
  return [
    ...(field('Uid').split(/\s+/).map(Number).includes(0) ? ['runs as root'] : []),
    ...(powers ? ['has capabilities'] : []),
    ...(field('NoNewPrivs') === '1' ? [] : ['may gain privileges']),
    ...(Number(field('Seccomp')) === 2 ? [] : ['no filter of system calls']),
    ...(root?.split(' ')[5]?.split(',').includes('ro') ? [] : ['may write its root']),
  ]
}
