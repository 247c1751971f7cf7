import { at, environmentOf, type Json, list, type Manifest, texts, type Workload, workloadsIn } from './manifests.ts'

/** Read by Node itself, before any program of ours. */
const ofNode: ReadonlySet<string> = new Set(['NODE_EXTRA_CA_CERTS'])

/** Objects that are right one by one and contradict each other, or what the product says of itself, in one place. */
export function contradictionsIn(manifests: readonly Manifest[], settings: ReadonlySet<string>): readonly string[] {
  const workloads = workloadsIn(manifests)
  return [
    ...workloads.flatMap((workload) => wrongSettings(manifests, workload, settings)),
    ...workloads.flatMap((workload) => wrongStops(manifests, workload)),
    ...workloads.flatMap((workload) => wrongImage(workload)),
    ...manifests.flatMap((manifest) => wrongGrowth(manifest, manifests)),
    ...manifests
      .filter(({ kind }) => kind === 'Secret')
      .map(({ metadata }) => `the secret ${metadata.name} is rendered`),
  ]
}

/** Settings that the product does not know, ports that it does not open, secrets that are nowhere mounted. */
function wrongSettings(
  manifests: readonly Manifest[],
  workload: Workload,
  settings: ReadonlySet<string>,
): readonly string[] {
  const environment = environmentOf(manifests, workload)
  const names = Object.keys(environment)
  const mounts = list(at(workload.container, 'volumeMounts'))
  const secretVolumes = list(at(workload.spec, 'volumes'))
    .filter((volume) => at(volume, 'secret'))
    .map((volume) => at(volume, 'name'))
  const secretFolders = mounts
    .filter((mount) => secretVolumes.includes(at(mount, 'name') ?? null))
    .map((mount) => at(mount, 'mountPath'))
  const isMounted = (name: string, path = ''): boolean =>
    secretFolders.some((folder) => path === `${String(folder)}/${name}`)
  const files = names.filter((name) => name.endsWith('_FILE') && !settings.has(name))
  const openPorts = list(at(workload.container, 'ports')).map((port) => [
    at(port, 'name'),
    String(at(port, 'containerPort')),
  ])
  const meant: Readonly<Record<string, string | undefined>> = { http: environment.PORT, admin: environment.ADMIN_PORT }
  const owner = list(at(workload.spec, 'volumes')).some((volume) =>
    /-owner$/.test(String(at(volume, 'secret', 'secretName'))),
  )
  return [
    ...names
      .filter((name) => !settings.has(name.replace(/_FILE$/, '')) && !settings.has(name) && !ofNode.has(name))
      .map((name) => `${workload.name}: there is no setting ${name}`),
    ...files
      .filter((name) => !isMounted(name.replace(/_FILE$/, ''), environment[name]))
      .map((name) => `${workload.name}: ${name} is no mounted secret`),
    ...openPorts
      .filter(([name, port]) => meant[String(name)] !== port)
      .map(([name]) => `${workload.name}: the port ${String(name)} is not the one that is set`),
    ...(openPorts.length && environment.ADMIN_HOST !== '0.0.0.0'
      ? [`${workload.name}: nobody outside of the pod is answered at the admin port`]
      : []),
    ...(owner === (workload.manifest.kind === 'Job')
      ? []
      : [`${workload.name}: the login of the owner belongs to the migration alone`]),
  ]
}

/** Killed before it has stopped; fewer pods than there should be while a release is rolled out. */
function wrongStops(manifests: readonly Manifest[], workload: Workload): readonly string[] {
  if (workload.manifest.kind !== 'Deployment') return []
  const grace = Number(at(workload.spec, 'terminationGracePeriodSeconds'))
  const sleep = Number(at(workload.container, 'lifecycle', 'preStop', 'sleep', 'seconds') ?? 0)
  const stop = Number(/^(\d+)s$/.exec(environmentOf(manifests, workload).SHUTDOWN_TIMEOUT ?? '')?.[1])
  const strategy = at(workload.manifest.json, 'spec', 'strategy')
  const isRolled = at(strategy, 'type') === 'RollingUpdate'
  const isWeb = list(at(workload.container, 'ports')).some((port) => at(port, 'name') === 'http')
  return [
    ...(grace > sleep + stop ? [] : [`${workload.name}: is killed after ${grace} s and needs ${sleep} + ${stop} s`]),
    ...(isWeb && sleep < 5 ? [`${workload.name}: stops before others know`] : []),
    ...(isRolled && at(strategy, 'rollingUpdate', 'maxUnavailable') !== 0
      ? [`${workload.name}: is rolled out with fewer pods`]
      : []),
  ]
}

/** Without a tag it would be whatever was pushed last. */
function wrongImage({ name, labels, container }: Workload): readonly string[] {
  const image = String(at(container, 'image'))
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag && tag !== 'latest' && tag === labels['app.kubernetes.io/version']
    ? []
    : [`${name}: ${image} is not its version`]
}

/** An autoscaler without its Deployment or beside a fixed number; a budget that lets all go, or none. */
function wrongGrowth({ kind, metadata, json }: Manifest, manifests: readonly Manifest[]): readonly string[] {
  const deployments = manifests.filter((one) => one.kind === 'Deployment')
  if (kind === 'HorizontalPodAutoscaler') {
    const target = deployments.find((one) => one.metadata.name === at(json, 'spec', 'scaleTargetRef', 'name'))
    const [min, max] = [Number(at(json, 'spec', 'minReplicas')), Number(at(json, 'spec', 'maxReplicas'))]
    const asked = at(target?.json, 'spec', 'template', 'spec', 'containers', 0, 'resources', 'requests', 'cpu')
    return [
      ...(target ? [] : [`the autoscaler ${metadata.name} has no Deployment`]),
      ...(at(target?.json, 'spec', 'replicas') === undefined
        ? []
        : [`${metadata.name} has replicas and an autoscaler`]),
      ...(min >= 2 && min < max ? [] : [`the autoscaler ${metadata.name} goes from ${min} to ${max}`]),
      ...(asked ? [] : [`${metadata.name} asks for no processor, of which the autoscaler could take a part`]),
    ]
  }
  if (kind !== 'PodDisruptionBudget') return []
  const selector = texts(at(json, 'spec', 'selector', 'matchLabels'))
  return deployments
    .filter((one) => isSelected(selector, at(one.json, 'spec', 'template', 'metadata', 'labels')))
    .flatMap((deployment) => {
      const least = leastReplicas(deployment, manifests)
      const kept = Number(at(json, 'spec', 'minAvailable'))
      return kept >= 1 && kept < least ? [] : [`the budget ${metadata.name} keeps ${kept} of ${least}`]
    })
}

const isSelected = (selector: Readonly<Record<string, string>>, labels: Json | undefined): boolean =>
  Object.entries(selector).every(([key, value]) => texts(labels)[key] === value)

/** What the autoscaler goes down to, or the fixed number. */
export function leastReplicas({ metadata, json }: Manifest, manifests: readonly Manifest[]): number {
  const scaler = manifests.find(
    (one) => one.kind === 'HorizontalPodAutoscaler' && at(one.json, 'spec', 'scaleTargetRef', 'name') === metadata.name,
  )
  return Number(at(scaler?.json, 'spec', 'minReplicas') ?? at(json, 'spec', 'replicas') ?? 1)
}
