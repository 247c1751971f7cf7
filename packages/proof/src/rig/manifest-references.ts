import { at, type Json, list, type Manifest, texts, type Workload, workloadsIn } from './manifests.ts'

/** Names, labels and ports that lead nowhere, in the objects of one place. */
export function brokenReferences(manifests: readonly Manifest[]): readonly string[] {
  const workloads = workloadsIn(manifests)
  return [
    ...brokenNames(manifests, workloads),
    ...manifests.flatMap((manifest) => brokenSelectors(manifest, workloads)),
    ...workloads.flatMap((workload) => brokenPorts(workload)),
    ...manifests.flatMap((manifest) => brokenDoors(manifest, manifests, workloads)),
  ]
}

type Labels = Readonly<Record<string, string>>

const fits = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value)

const selected = (selector: Labels, workloads: readonly Workload[]): readonly Workload[] =>
  workloads.filter(({ labels }) => fits(selector, labels))

/** Objects twice, in no namespace or a foreign one, and references to objects that are not there. */
function brokenNames(manifests: readonly Manifest[], workloads: readonly Workload[]): readonly string[] {
  const namespace = manifests.find(({ kind }) => kind === 'Namespace')?.metadata.name
  const has = (kind: string, name: Json | undefined): boolean =>
    manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  const keys = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const missing = workloads.flatMap(({ name, spec, container }) => {
    const maps = list(at(container, 'envFrom')).map((from) => at(from, 'configMapRef', 'name'))
    const claims = list(at(spec, 'volumes')).flatMap((volume) => at(volume, 'persistentVolumeClaim', 'claimName') ?? [])
    const volumes = list(at(spec, 'volumes')).map((volume) => at(volume, 'name'))
    const mounts = list(at(container, 'volumeMounts')).map((mount) => at(mount, 'name'))
    return [
      ...maps.filter((map) => !has('ConfigMap', map)).map((map) => `${name}: no ConfigMap ${String(map)}`),
      ...claims
        .filter((claim) => !has('PersistentVolumeClaim', claim))
        .map((claim) => `${name}: no volume ${String(claim)}`),
      ...mounts
        .filter((mount) => !volumes.includes(mount))
        .map((mount) => `${name}: mounts no volume ${String(mount)}`),
      ...volumes
        .filter((volume) => !mounts.includes(volume))
        .map((volume) => `${name}: mounts nowhere ${String(volume)}`),
      ...(has('ServiceAccount', at(spec, 'serviceAccountName')) ? [] : [`${name}: no such service account`]),
    ]
  })
  return [
    ...keys.filter((key, i) => keys.indexOf(key) !== i).map((key) => `${key} is there twice`),
    ...manifests
      .filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== namespace)
      .map(({ kind, metadata }) => `${kind} ${metadata.name} is in ${metadata.namespace ?? 'no namespace'}`),
    ...missing,
  ]
}

/** Every selector finds pods, and a Deployment's finds its own and nobody else's. */
function brokenSelectors({ kind, metadata, json }: Manifest, workloads: readonly Workload[]): readonly string[] {
  const name = `${kind} ${metadata.name}`
  const found = (selector: Json | undefined): readonly Workload[] => selected(texts(selector), workloads)
  const nobody = (selector: Json | undefined, what: string): readonly string[] =>
    Object.keys(texts(selector)).length > 0 && found(selector).length === 0 ? [`${name}: ${what} finds no pods`] : []
  if (kind === 'Service') return nobody(at(json, 'spec', 'selector'), 'its selector')
  if (kind === 'PodDisruptionBudget') return nobody(at(json, 'spec', 'selector', 'matchLabels'), 'its selector')
  if (kind === 'NetworkPolicy')
    return [
      ...nobody(at(json, 'spec', 'podSelector', 'matchLabels'), 'its selector'),
      ...list(at(json, 'spec', 'ingress'))
        .flatMap((rule) => list(at(rule, 'from')))
        .filter((peer) => !at(peer, 'namespaceSelector'))
        .flatMap((peer) => nobody(at(peer, 'podSelector', 'matchLabels'), 'a peer')),
    ]
  if (kind !== 'Deployment') return []
  const own = found(at(json, 'spec', 'selector', 'matchLabels')).map(({ name: found }) => found)
  const spread = list(at(json, 'spec', 'template', 'spec', 'topologySpreadConstraints'))
  return [
    ...(own.length === 1 && own[0] === name ? [] : [`${name}: its selector finds ${own.join(', ') || 'no pods'}`]),
    ...spread.flatMap((constraint) => nobody(at(constraint, 'labelSelector', 'matchLabels'), 'a spread')),
  ]
}

const portsOf = ({ container }: Workload): readonly { name: Json | undefined; port: Json | undefined }[] =>
  list(at(container, 'ports')).map((port) => ({ name: at(port, 'name'), port: at(port, 'containerPort') }))

const opens = (workload: Workload, port: Json | undefined): boolean =>
  portsOf(workload).some((open) => open.name === port || open.port === port)

/** Probes and scrapes ask at ports that are open. */
function brokenPorts(workload: Workload): readonly string[] {
  const probes = workload.manifest.kind === 'Job' ? [] : ['startupProbe', 'readinessProbe', 'livenessProbe']
  const annotations = texts(at(workload.manifest.json, 'spec', 'template', 'metadata', 'annotations'))
  const scraped = annotations['prometheus.io/port']
  return [
    ...probes
      .filter((probe) => !opens(workload, at(workload.container, probe, 'httpGet', 'port')))
      .map((probe) => `${workload.name}: ${probe} asks at no open port`),
    ...(scraped && !opens(workload, Number(scraped)) ? [`${workload.name}: scraped at no open port`] : []),
  ]
}

/** From the Ingress to the Service, from there and through the policies to the pods. */
function brokenDoors(
  { kind, metadata, json }: Manifest,
  manifests: readonly Manifest[],
  workloads: readonly Workload[],
): readonly string[] {
  const name = `${kind} ${metadata.name}`
  if (kind === 'Ingress')
    return list(at(json, 'spec', 'rules'))
      .flatMap((rule) => list(at(rule, 'http', 'paths')))
      .flatMap((path) => {
        const to = at(path, 'backend', 'service')
        const service = manifests.find((one) => one.kind === 'Service' && one.metadata.name === at(to, 'name'))
        const port = at(to, 'port', 'name') ?? at(to, 'port', 'number')
        const isOpen = list(at(service?.json, 'spec', 'ports')).some(
          (open) => at(open, 'name') === port || at(open, 'port') === port,
        )
        return isOpen ? [] : [`${name}: ${String(at(path, 'path'))} leads to no port of a Service`]
      })
  const isService = kind === 'Service'
  if (!isService && kind !== 'NetworkPolicy') return []
  const behind = selected(
    texts(isService ? at(json, 'spec', 'selector') : at(json, 'spec', 'podSelector', 'matchLabels')),
    workloads,
  )
  const wanted = isService
    ? list(at(json, 'spec', 'ports')).map((port) => at(port, 'targetPort'))
    : list(at(json, 'spec', 'ingress')).flatMap((rule) => list(at(rule, 'ports')).map((port) => at(port, 'port')))
  return behind.flatMap((workload) =>
    wanted
      .filter((port) => !opens(workload, port))
      .map((port) => `${name}: ${workload.name} does not open ${String(port)}`),
  )
}
