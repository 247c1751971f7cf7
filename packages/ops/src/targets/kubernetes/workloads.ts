import type { Description } from '../../description/index.ts'
import { labelsOf, type Manifest, nameOf, selectorOf } from './manifest.ts'
import { podMetadata, podOf } from './pods.ts'

/** Pods that would be more than the restricted profile allows are refused by the cluster. */
export const namespaceOf = (description: Description): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: description.name,
    labels: {
      ...labelsOf(description),
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

/** A name of its own, and no token: no pod asks the cluster for anything. */
export const serviceAccountOf = (description: Description): Manifest => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: description.name, labels: labelsOf(description) },
  automountServiceAccountToken: false,
})

const HISTORY = 5
/** A pod that ends within its first seconds never counts as rolled out. */
const SETTLED_SECONDS = 5
/** Longer than a pod may wait for the migration, which is what its startup probe allows. */
const ROLLOUT_SECONDS = 900

/** Without `replicas`: where an autoscaler is, it alone says how many; elsewhere the overlay does. */
export const deploymentOf = (description: Description, component: 'web' | 'worker'): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: nameOf(description, component), labels: labelsOf(description, component) },
  spec: {
    revisionHistoryLimit: HISTORY,
    minReadySeconds: SETTLED_SECONDS,
    progressDeadlineSeconds: ROLLOUT_SECONDS,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: selectorOf(description, component) },
    template: { metadata: podMetadata(description, component), spec: podOf(description, component) },
  },
})

const TRIES = 3
const MIGRATION_SECONDS = 3_600
const KEPT_SECONDS = 7 * 86_400

/**
 * Brings the database up to date, once for a version: a Job cannot be changed, so its name has the version in it. The
 * pods of that version wait for it.
 */
export const migrationOf = (description: Description): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: migrationName(description), labels: labelsOf(description, 'migrate') },
  spec: {
    backoffLimit: TRIES,
    activeDeadlineSeconds: MIGRATION_SECONDS,
    ttlSecondsAfterFinished: KEPT_SECONDS,
    template: {
      metadata: { labels: labelsOf(description, 'migrate') },
      spec: podOf(description, 'migrate'),
    },
  },
})

export const migrationName = (description: Description): string =>
  nameOf(description, `migrate-${description.version.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`)
