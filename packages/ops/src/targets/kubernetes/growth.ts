import type { Description } from '../../description/index.ts'
import { labelsOf, type Manifest, nameOf, selectorOf } from './manifest.ts'

/**
 * How many web pods there are, by the load of the processor and not by memory, which stays when load goes. Doubles
 * within a minute; goes back by one pod a minute, and only when five minutes have not needed it.
 */
export const autoscalerOf = (description: Description): Manifest => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: nameOf(description, 'web'), labels: labelsOf(description, 'web') },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: nameOf(description, 'web') },
    minReplicas: description.scaling.min,
    maxReplicas: description.scaling.max,
    metrics: [
      {
        type: 'Resource',
        resource: {
          name: 'cpu',
          target: { type: 'Utilization', averageUtilization: description.scaling.cpuPercent },
        },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 60 },
          { type: 'Pods', value: 2, periodSeconds: 60 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: 'Max',
        policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
      },
    },
  },
})

/** Whoever empties a node must leave so many. One less than there are at least: else no node could ever be emptied. */
export const disruptionBudgetOf = (
  description: Description,
  component: 'web' | 'worker',
  leastReplicas: number,
): Manifest => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: nameOf(description, component), labels: labelsOf(description, component) },
  spec: {
    minAvailable: leastReplicas - 1,
    // A pod that is not ready serves nobody, and must not keep a node from being emptied.
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: selectorOf(description, component) },
  },
})
