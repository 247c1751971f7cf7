import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { at, type Json, list, type Manifest, parseManifests, texts, workloadsIn } from '../manifests.ts'
import type { Rig } from '../rig.ts'
import { runProgram } from '../run-program.ts'
import { podman, tryPodman } from './engine.ts'
import { keepImage, renderTargets } from './images.ts'
import { startNeighbours } from './neighbours.ts'
import { playable } from './playable.ts'

export const playPrograms = ['podman', 'runc', 'debootstrap', 'kubectl', 'openssl'] as const

export interface PlayedPod {
  readonly component: string
  /** Of its one container. */
  readonly id: string
  readonly pid: number
  readonly ip: string
  readonly labels: Readonly<Record<string, string>>
  /** As the manifest has it. */
  readonly container: Json | undefined
}

/** The development overlay of the product on podman, under names that nobody else has. */
export interface Played {
  /** As `kubectl kustomize` printed them. */
  readonly manifests: readonly Manifest[]
  /** What the migration ended with. */
  readonly migration: number
  readonly pods: readonly PlayedPod[]
  /** Where the scratch space of a pod is on this machine. */
  scratchOf(pod: PlayedPod): Promise<string>
}

const MIGRATION_MS = 120_000

/**
 * Renders, builds an overlay of an operator's own on the one for development (the image, secrets, who signed the
 * certificates), and plays it: the Job first, as podman knows none, by itself; then what serves.
 */
export async function playDevelopment(rig: Rig): Promise<Played> {
  const rendered = await renderTargets(rig)
  const folder = join(rendered, 'deploy')
  const prepared = await runProgram('sh', [join(folder, 'prepare-compose.sh')])
  if (prepared.code !== 0) throw new Error(`nothing was prepared: ${prepared.stderr}`)
  const prefix = `play${rig.scratch
    .replace(/[^a-z0-9]/gi, '')
    .slice(-8)
    .toLowerCase()}`
  const image = `localhost/${prefix}/seaworthy`
  const manifests = parseManifests(await kustomize(rig, writeOverlay(folder, prefix, image)))
  const version = /:([^:]+)$/.exec(String(at(workloadsIn(manifests)[0]?.container, 'image')))?.[1] ?? ''
  await keepImage(rendered, `${image}:${version}`)
  rig.defer(() => tryPodman('rmi', `${image}:${version}`))
  await podman('network', 'create', prefix)
  rig.defer(() => removeAll(prefix))
  await startNeighbours(rig, { folder, network: prefix })
  const { secrets, before, served } = playable(manifests)
  for (const { name, json } of secrets) {
    const file = join(rig.scratch, name)
    writeFileSync(file, stringify(json), { mode: 0o600 })
    await podman('secret', 'create', name, file)
  }
  await play(rig, prefix, 'before', before)
  const job = workloadsIn(manifests).find(({ manifest }) => manifest.kind === 'Job')
  const migration = await exitOf(`${job?.manifest.metadata.name}-${at(job?.container, 'name')}`)
  await play(rig, prefix, 'served', served)
  return {
    manifests,
    migration,
    pods: await podsOf(manifests, prefix),
    scratchOf: async ({ id }) => {
      const [found] = JSON.parse(await podman('inspect', id)) as { Mounts: { Destination: string; Source: string }[] }[]
      return found?.Mounts.find(({ Destination }) => Destination === '/tmp')?.Source ?? ''
    },
  }
}

/** Settings and secrets that only whoever installs it can know. */
function writeOverlay(folder: string, prefix: string, newName: string): string {
  const here = join(folder, 'k8s', 'overlays', 'here')
  mkdirSync(here, { recursive: true })
  const made = (path: string): string => readFileSync(join(folder, path), 'utf8').trim()
  const names = [
    ...['DATABASE_ROLE_SECRET', 'ENCRYPTION_KEY', 'JWT_ACCESS_SECRET', 'JWT_REFRESH_SECRET', 'AUDIT_SECRET'],
    ...['MEDIA_URL_SECRET', 'REDIS_URL'],
  ]
  const secret = (name: string, values: Readonly<Record<string, string>>): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    data: Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
  })
  const settings = ['web', 'worker', 'migrate'].map((role) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `seaworthy-${role}` },
    data: { DB_CA_FILE: '/run/secrets/app/ca.pem', NODE_EXTRA_CA_CERTS: '/run/secrets/app/ca.pem' },
  }))
  const files = {
    'secrets.yaml': [
      secret('seaworthy', {
        ...Object.fromEntries(names.map((name) => [name, made(`secrets/${name.toLowerCase()}`)])),
        DATABASE_URL: 'postgresql://database:5432/seaworthy',
        'ca.pem': made('tls/ca.pem'),
      }),
      secret('seaworthy-owner', { DATABASE_URL: made('secrets/database_url') }),
    ],
    'settings.patch.yaml': settings,
    'kustomization.yaml': [
      {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: 'seaworthy-development',
        namePrefix: `${prefix}-`,
        resources: ['../development', 'secrets.yaml'],
        patches: [{ path: 'settings.patch.yaml' }],
        images: [{ name: 'registry.example.com/seaworthy', newName }],
      },
    ],
  }
  for (const [name, objects] of Object.entries(files))
    writeFileSync(join(here, name), objects.map((object) => stringify(object)).join('---\n'))
  return here
}

async function kustomize(rig: Rig, folder: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram(rig.program('kubectl'), ['kustomize', folder])
  if (code !== 0) throw new Error(`kubectl kustomize: ${stderr}`)
  return stdout
}

async function play(rig: Rig, network: string, name: string, objects: readonly Json[]): Promise<void> {
  const file = join(rig.scratch, `${name}.yaml`)
  writeFileSync(file, objects.map((object) => stringify(object)).join('---\n'))
  rig.defer(() => tryPodman('kube', 'down', file))
  await podman('kube', 'play', '--network', network, '--log-driver', 'k8s-file', file)
}

/** -1 when it does not end in time. */
async function exitOf(name: string): Promise<number> {
  const end = performance.now() + MIGRATION_MS
  for (;;) {
    const { stdout } = await tryPodman('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name)
    const [status, code] = stdout.trim().split(' ')
    if (status === 'exited') return Number(code)
    if (performance.now() > end) return -1
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function podsOf(manifests: readonly Manifest[], network: string): Promise<readonly PlayedPod[]> {
  const pods: PlayedPod[] = []
  for (const { manifest, labels, container } of workloadsIn(manifests)) {
    if (manifest.kind !== 'Deployment') continue
    const component = String(at(container, 'name'))
    // Podman adds to the name of a Deployment what it likes.
    const names = (await podman('ps', '--all', '--format', '{{.Names}}')).split('\n')
    const name = names.find((one) => one.startsWith(`${manifest.metadata.name}-pod`) && one.endsWith(`-${component}`))
    const [state] = JSON.parse(await podman('inspect', name ?? manifest.metadata.name)) as {
      Id: string
      Pod: string
      State: { Pid: number }
    }[]
    const infra = (await podman('pod', 'inspect', '--format', '{{.InfraContainerID}}', state?.Pod ?? '')).trim()
    const ip = await podman(
      'inspect',
      '--format',
      `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
      infra,
    )
    pods.push({ component, id: state?.Id ?? '', pid: state?.State.Pid ?? 0, ip: ip.trim(), labels, container })
  }
  return pods
}

/** The port that a probe or a Service means: by its number, or by the name that the container gives it. */
export function portOf({ container }: PlayedPod, port: Json | undefined): number | undefined {
  if (typeof port === 'number') return port
  const named = list(at(container, 'ports')).find((one) => texts(one).name === port)
  return named === undefined ? undefined : Number(at(named, 'containerPort'))
}

async function removeAll(prefix: string): Promise<void> {
  const own = (text: string): string[] => text.split('\n').filter((name) => name.startsWith(prefix))
  for (const pod of own((await tryPodman('pod', 'ps', '--format', '{{.Name}}')).stdout))
    await tryPodman('pod', 'rm', '--force', '--time', '2', pod)
  for (const volume of own((await tryPodman('volume', 'ls', '--quiet')).stdout))
    await tryPodman('volume', 'rm', '--force', volume)
  for (const secret of own((await tryPodman('secret', 'ls', '--format', '{{.Name}}')).stdout))
    await tryPodman('secret', 'rm', secret)
  await tryPodman('network', 'rm', '--force', prefix)
}
