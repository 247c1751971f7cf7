import { container, type Description } from '../../description/index.ts'
import { type Component, labelsOf, nameOf, selectorOf } from './manifest.ts'
import { commonTo, OWNER, SECRETS, secretFiles, toEnv } from './settings.ts'

const USER = container.user
/** A Service learns only after a while that a pod goes; until then the pod still serves. */
const DRAIN_SECONDS = 10
/** The supervisor gives its processes five seconds more than they ask for. */
const SPARE_SECONDS = 10
/** Smaller versions of pictures take up to 2 GiB; the rest are files on their way. */
const DATA_SIZE = '4Gi'
const TMP_SIZE = '64Mi'
/** What a pod may write on its node in all. */
const NODE_DISK = { asked: '512Mi', most: '5Gi' }

/** One container that may do nothing but serve: numbered user, no privileges, nothing writable but its volumes. */
export function podOf(description: Description, component: Component): object {
  const isServed = component !== 'migrate'
  return {
    serviceAccountName: description.name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(isServed
      ? {
          terminationGracePeriodSeconds:
            (component === 'web' ? DRAIN_SECONDS : 0) + description.shutdownSeconds + SPARE_SECONDS,
          topologySpreadConstraints: spread(description, component),
        }
      : { restartPolicy: 'Never' }),
    containers: [containerOf(description, component)],
    volumes: [
      { name: 'tmp', emptyDir: { sizeLimit: TMP_SIZE } },
      { name: 'data', emptyDir: { sizeLimit: DATA_SIZE } },
      { name: 'secrets', secret: { secretName: description.name, defaultMode: 0o440 } },
      ...(isServed
        ? []
        : [{ name: 'owner', secret: { secretName: nameOf(description, 'owner'), defaultMode: 0o440 } }]),
    ],
  }
}

function containerOf(description: Description, component: Component): object {
  return {
    name: component,
    image: `${description.image}:${description.version}`,
    imagePullPolicy: 'IfNotPresent',
    command: component === 'migrate' ? container.migrate : container.start,
    workingDir: container.directory,
    envFrom: [{ configMapRef: { name: nameOf(description, component) } }],
    env: toEnv(commonTo((overlay) => secretFiles(description, overlay, component))),
    ...(component === 'migrate' ? {} : served(description, component)),
    resources: resourcesOf(description.sizes['kubernetes-production'][component === 'web' ? 'web' : 'worker']),
    securityContext: {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: container.scratchDirectory },
      { name: 'data', mountPath: container.dataDirectory },
      { name: 'secrets', mountPath: SECRETS, readOnly: true },
      ...(component === 'migrate' ? [{ name: 'owner', mountPath: OWNER, readOnly: true }] : []),
    ],
  }
}

/** A web process is asked where people are served; a worker has only the port for those who run it. */
function served({ ports, probes }: Description, component: 'web' | 'worker'): object {
  const port = component === 'web' ? 'http' : 'admin'
  const ask = (path: string) => ({ httpGet: { path, port } })
  return {
    ports: [
      ...(component === 'web' ? [{ name: 'http', containerPort: ports.http }] : []),
      { name: 'admin', containerPort: ports.admin },
    ],
    startupProbe: { ...ask(probes.live), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 120 },
    readinessProbe: { ...ask(probes.ready), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { ...ask(probes.live), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    ...(component === 'web' ? { lifecycle: { preStop: { sleep: { seconds: DRAIN_SECONDS } } } } : {}),
  }
}

/** Asked for and allowed are the same: a pod is never slower or smaller because of its neighbours. */
export function resourcesOf({ memoryMiB, cpu }: { readonly memoryMiB: number; readonly cpu: number }): object {
  const size = { cpu: `${cpu * 1_000}m`, memory: `${memoryMiB}Mi` }
  return {
    requests: { ...size, 'ephemeral-storage': NODE_DISK.asked },
    limits: { ...size, 'ephemeral-storage': NODE_DISK.most },
  }
}

/** Over zones and nodes, as far as there are several. */
const spread = (description: Description, component: Component): readonly object[] =>
  ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selectorOf(description, component) },
  }))

/** Labels and annotations of a pod: Prometheus finds its metrics by them. */
export const podMetadata = (description: Description, component: 'web' | 'worker') => ({
  labels: labelsOf(description, component),
  annotations: {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(description.ports.admin),
    'prometheus.io/path': description.probes.metrics,
  },
})
