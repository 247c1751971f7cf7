import type { Description } from '../../description/index.ts'
import type { Artefact, Target } from '../target.ts'
import { ingressesOf, serviceOf } from './doors.ts'
import { fileOf } from './manifest.ts'
import { policiesOf } from './network.ts'
import { overlayFiles } from './overlays.ts'
import { configMaps, overlayNames } from './settings.ts'
import { deploymentOf, migrationOf, namespaceOf, serviceAccountOf } from './workloads.ts'

/**
 * A base and three overlays for `kubectl apply -k`. PostgreSQL, Redis and storage are referred to and not rendered: an
 * operator or a managed service runs them better than a Deployment would. There is no CronJob, since the worker keeps
 * all schedules of the product.
 */
export const kubernetes: Target = {
  name: 'kubernetes',
  about: 'a base and overlays for development, staging and production',
  notRunHere: 'without a cluster: built by kubectl kustomize and judged by its schemas and rules',
  render: (description) => [
    ...baseFiles(description),
    ...overlayNames.flatMap((overlay) => overlayFiles(description, overlay)),
  ],
}

function baseFiles(description: Description): readonly Artefact[] {
  const files: readonly [file: string, why: string, manifests: readonly object[]][] = [
    ['namespace.yaml', 'Refuses pods that may do more than they need.', [namespaceOf(description)]],
    ['service-account.yaml', 'No pod may ask the cluster for anything.', [serviceAccountOf(description)]],
    ['settings.yaml', 'No secrets: docs/deploy/kubernetes.md says how those are made.', configMaps(description)],
    [
      'migration.yaml',
      'The only one that has the login of the owner of the tables. Pods of this version wait for it.',
      [migrationOf(description)],
    ],
    ['web.yaml', 'What people ask.', [deploymentOf(description, 'web')]],
    ['worker.yaml', 'Jobs and schedules.', [deploymentOf(description, 'worker')]],
    [
      'doors.yaml',
      'From outside to the web pods. TLS ends at the ingress: from there to the pods it is in clear, on the network of the cluster, where\nnetwork.yaml lets nobody else in. docs/deploy/tls.md says how it is encrypted.',
      [serviceOf(description), ...ingressesOf(description)],
    ],
    [
      'network.yaml',
      'Who may reach whom; all else is refused. Change the namespaces where yours are called otherwise, and add `to`\nwhere the addresses of your database and Redis are known.',
      policiesOf(description),
    ],
  ]
  return [
    fileOf('base/kustomization.yaml', 'What every place has. Apply an overlay, not this.', [
      {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: files.map(([file]) => file),
      },
    ]),
    ...files.map(([file, why, manifests]) => fileOf(`base/${file}`, why, manifests)),
  ]
}
