import { at, type Json, list, type Manifest } from '../manifests.ts'

/**
 * Manifests as podman 4.3 can play them. What it cannot, and what is done about it:
 * - it knows no Job: the pod of the migration is played by itself;
 * - it never decodes the values of a Secret, and ends where `optional` is not said: secrets are made beside it, decoded;
 * - volumes named alike are one volume in all pods: each pod gets its own names;
 * - it turns a probe into a `curl` inside the container, which our image does not hold: the experiment asks instead;
 * - it opens every port of a container on the machine: they are left out, and reached at the address of the pod;
 * - Namespace, ServiceAccount, Service, Ingress and NetworkPolicy are not played.
 */
export function playable(manifests: readonly Manifest[]): {
  readonly secrets: readonly { readonly name: string; readonly json: Json }[]
  readonly before: readonly Json[]
  readonly served: readonly Json[]
} {
  const of = (...kinds: readonly string[]): readonly Manifest[] => manifests.filter(({ kind }) => kinds.includes(kind))
  const settings = of('ConfigMap').map(({ json }) => json)
  const secrets = of('Secret').map((secret) => ({ name: secret.metadata.name, json: decoded(secret) }))
  const before = [...settings, ...of('Job').map(podOfJob)]
  const served = [...of('PersistentVolumeClaim').map(({ json }) => json), ...settings, ...of('Deployment').map(adapted)]
  return { secrets, before, served }
}

type Fields = Readonly<Record<string, Json>>
const fields = (json: Json | undefined): Fields => (json ?? {}) as Fields

const decoded = ({ json }: Manifest): Json => ({
  ...fields(json),
  data: Object.fromEntries(
    Object.entries(fields(at(json, 'data'))).map(([key, value]) => [
      key,
      Buffer.from(String(value), 'base64').toString(),
    ]),
  ),
})

const podOfJob = ({ metadata, json }: Manifest): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...fields(at(json, 'spec', 'template', 'metadata')), name: metadata.name },
  spec: adaptedPod(metadata.name, at(json, 'spec', 'template', 'spec')),
})

const adapted = ({ metadata, json }: Manifest): Json => ({
  ...fields(json),
  spec: {
    ...fields(at(json, 'spec')),
    template: {
      ...fields(at(json, 'spec', 'template')),
      spec: adaptedPod(metadata.name, at(json, 'spec', 'template', 'spec')),
    },
  },
})

function adaptedPod(pod: string, spec: Json | undefined): Json {
  const isOwn = (volume: Json | undefined): boolean => at(volume, 'emptyDir') !== undefined
  const volumes = list(at(spec, 'volumes'))
  const own = new Set(volumes.filter(isOwn).map((volume) => at(volume, 'name')))
  const named = (entry: Json): Json =>
    own.has(at(entry, 'name')) ? { ...fields(entry), name: `${pod}-${at(entry, 'name')}` } : entry
  return {
    ...fields(spec),
    volumes: volumes.map((volume) => {
      const secret = at(volume, 'secret')
      return secret === undefined
        ? named(volume)
        : { ...fields(volume), secret: { ...fields(secret), optional: false } }
    }),
    containers: list(at(spec, 'containers')).map((container) => {
      const { startupProbe, readinessProbe, livenessProbe, lifecycle, ports, ...kept } = fields(container)
      return { ...kept, volumeMounts: list(at(container, 'volumeMounts')).map(named) }
    }),
  }
}
