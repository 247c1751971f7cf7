import { container, type Description, type Sizes } from '../../description/index.ts'
import type { Artefact } from '../target.ts'
import { ingressPatches } from './doors.ts'
import { autoscalerOf, disruptionBudgetOf } from './growth.ts'
import { fileOf, labelsOf, type Manifest, nameOf, selectorOf } from './manifest.ts'
import { policiesOfPlace } from './network.ts'
import { resourcesOf } from './pods.ts'
import { besides, configPatches, type Overlay, overlays, secretFiles, settingsMark, toEnv } from './settings.ts'
import { migrationName } from './workloads.ts'

const components = ['web', 'worker'] as const

/** What one place has besides the base, and what it changes in it. */
export function overlayFiles(description: Description, overlay: Overlay): readonly Artefact[] {
  const folder = `overlays/${overlay}`
  const all: Files = [
    ['settings.patch.yaml', 'What this place sets otherwise.', configPatches(description, overlay)],
    ['workloads.patch.yaml', 'How many and how large, and what they read besides.', workloads(description, overlay)],
    ['ingress.patch.yaml', 'The name that people type.', ingressPatches(description, overlay)],
  ]
  const patches = all.filter(([, , manifests]) => manifests.length)
  const resources = ownResources(description, overlay)
  return [
    kustomizationOf(description, overlay, { resources, patches }),
    ...resources.map(([file, why, manifests]) => fileOf(`${folder}/${file}`, why, manifests)),
    ...patches.map(([file, why, manifests]) => fileOf(`${folder}/${file}`, why, manifests)),
  ]
}

type Files = readonly (readonly [file: string, why: string, manifests: readonly Manifest[]])[]

const kustomizationOf = (
  description: Description,
  overlay: Overlay,
  { resources, patches }: { readonly resources: Files; readonly patches: Files },
): Artefact =>
  fileOf(`overlays/${overlay}/kustomization.yaml`, `kubectl apply -k deploy/k8s/overlays/${overlay}`, [
    {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: nameOf(description, overlay),
      resources: ['../../base', ...resources.map(([file]) => file)],
      patches: patches.map(([path]) => ({ path })),
      images: [{ name: description.image, newTag: description.version }],
    },
  ])

function ownResources(description: Description, overlay: Overlay): Files {
  const least = leastReplicas(description, overlay)
  const budgets = components.filter((component) => least[component] > 1)
  const policies = policiesOfPlace(description, overlay)
  const files: Files = [
    ['network.yaml', 'Storage and mail are outside of the cluster.', policies],
    ['autoscaler.yaml', 'Replaces `replicas` of the web pods.', isScaled(overlay) ? [autoscalerOf(description)] : []],
    [
      'disruptions.yaml',
      'How many stay while a node is emptied.',
      budgets.map((component) => disruptionBudgetOf(description, component, least[component])),
    ],
    ['storage.yaml', 'Files of people, without storage of their own.', isOnDisk(overlay) ? [blobsOf(description)] : []],
  ]
  return files.filter(([, , manifests]) => manifests.length)
}

const isScaled = (overlay: Overlay): boolean => overlay === 'production'
const isOnDisk = (overlay: Overlay): boolean => overlay === 'development'

const leastReplicas = ({ sizes, scaling }: Description, overlay: Overlay) => ({
  web: isScaled(overlay) ? scaling.min : sizes[overlays[overlay]].web.replicas,
  worker: sizes[overlays[overlay]].worker.replicas,
})

function workloads(description: Description, overlay: Overlay): readonly Manifest[] {
  const sizes = description.sizes[overlays[overlay]]
  return [
    ...components.map((component) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: nameOf(description, component) },
      spec: {
        ...(component === 'web' && isScaled(overlay) ? {} : { replicas: sizes[component].replicas }),
        // Pods of two versions do not share one volume of one node.
        ...(isOnDisk(overlay) ? { strategy: { $patch: 'replace', type: 'Recreate' } } : {}),
        template: {
          metadata: { annotations: { 'checksum/settings': settingsMark(description, overlay, component) } },
          spec: podPatch(description, overlay, component, sizes),
        },
      },
    })),
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: migrationName(description) },
      spec: { template: { spec: podPatch(description, overlay, 'migrate', sizes) } },
    },
  ]
}

function podPatch(
  description: Description,
  overlay: Overlay,
  component: 'web' | 'worker' | 'migrate',
  sizes: Sizes,
): object {
  const env = toEnv(besides((one) => secretFiles(description, one, component), overlay))
  const mounts = [
    ...(isOnDisk(overlay) && component !== 'migrate'
      ? [{ name: 'blobs', mountPath: `${container.dataDirectory}/blobs` }]
      : []),
    ...(isOnDisk(overlay) ? [] : [{ name: 'authority', mountPath: '/run/tls', readOnly: true }]),
  ]
  const claimName = nameOf(description, 'blobs')
  return {
    containers: [
      {
        name: component,
        ...(env.length ? { env } : {}),
        resources: resourcesOf(sizes[component === 'web' ? 'web' : 'worker']),
        ...(mounts.length ? { volumeMounts: mounts } : {}),
      },
    ],
    ...(isOnDisk(overlay)
      ? component === 'migrate'
        ? {}
        : { affinity: together(description), volumes: [{ name: 'blobs', persistentVolumeClaim: { claimName } }] }
      : { volumes: [{ name: 'authority', configMap: { name: nameOf(description, 'authority') } }] }),
  }
}

/** Both read and write one volume, which most clusters give to one node at a time. */
const together = (description: Description): object => ({
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        topologyKey: 'kubernetes.io/hostname',
        labelSelector: {
          matchLabels: selectorOf(description),
          matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: [...components] }],
        },
      },
    ],
  },
})

const BLOBS_SIZE = '10Gi'

const blobsOf = (description: Description): Manifest => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: nameOf(description, 'blobs'), labels: labelsOf(description) },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: BLOBS_SIZE } } },
})
