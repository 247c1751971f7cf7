import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { countFlaps, SYNC_SECONDS, simulateGrowth } from '../../rig/autoscaler.ts'
import { leastReplicas } from '../../rig/manifest-sense.ts'
import { at, buildOverlays, type Json, type Manifest } from '../../rig/manifests.ts'
import { simulateDrain } from '../../rig/node-drain.ts'
import { recordLoad } from '../../rig/recorded-load.ts'
import { patch } from '../../sabotage.ts'

/** A morning: it rises, swings between much and less, and goes. */
const morning = [10, 20, 40, 70, 100, 60, 100, 60, 100, 40, 10]
const [LEAST, DIP, MOST] = [10, 60, 100]
const STEP_MINUTES = 3
const REST_MINUTES = 20
/** The load is as much as so many pods do when they are so full. */
const PEAK_PODS = 8
const FULL = 0.7
/** A machine that others use sheds some of it, which costs next to nothing. */
const MISSED = 0.05
const growth = 'packages/ops/src/targets/kubernetes/growth.ts'

export const claim = defineClaim({
  id: 'CON-06',
  says: 'By the published algorithm the rendered autoscaler follows a recorded load from 3 web pods to what it needs and back, without taking away what is needed again, and emptying all nodes at once leaves at least 2',
  answers: ['T10', 'X3 (autoscaler, disruption budget)'],
  witness: 'processor time of a real web process, the algorithms that Kubernetes publishes',
  needs: ['kubectl'],
  tier: 'full',
  seconds: 30,
  alone: true,
  limits: {
    'fewest pods': exactly(3, 'pods'),
    'most pods': { atLeast: PEAK_PODS, atMost: 10, unit: 'pods' },
    'pods after the load': exactly(3, 'pods'),
    'pods taken away and needed again within 5 minutes': exactly(0, 'times'),
    'longest time with more work than the pods can do': atMost(120, 's'),
    'fewest pods while all nodes are emptied': atLeast(2, 'pods'),
    'pods that keep a node from being emptied': exactly(0, 'pods'),
  },
  experiment: async (rig) => {
    const { manifests } = await buildOverlays(rig)
    const stack = await rig.start()
    const { cores, sent, failed } = await recordLoad(
      stack,
      [...new Set(morning)].sort((a, b) => a - b),
    )
    const used = (perSecond: number): number => cores.get(perSecond) ?? 0
    const { production } = manifests
    const find = (kind: string): Manifest | undefined =>
      production.find((one) => one.kind === kind && one.metadata.name.endsWith('-web'))
    const [autoscaler, budget, deployment] = [
      find('HorizontalPodAutoscaler'),
      find('PodDisruptionBudget'),
      find('Deployment'),
    ]
    const podCores = coresOf(
      at(deployment?.json, 'spec', 'template', 'spec', 'containers', 0, 'resources', 'requests', 'cpu'),
    )
    const target = Number(at(autoscaler?.json, 'spec', 'metrics', 0, 'resource', 'target', 'averageUtilization')) / 100
    const demand = toDemand(morning.map((rate) => (used(rate) / used(MOST)) * PEAK_PODS * FULL * podCores))
    const moments = simulateGrowth({ autoscaler: autoscaler?.json, podCores, demand })
    const pods = moments.map((moment) => moment.pods)
    const least = deployment ? leastReplicas(deployment, production) : 0
    const drains = [...new Set([least, ...pods])].map((count) =>
      simulateDrain(count, Number(at(budget?.json, 'spec', 'minAvailable'))),
    )
    return {
      measured: {
        'fewest pods': Math.min(...pods),
        'most pods': Math.max(...pods),
        'pods after the load': pods.at(-1) ?? 0,
        'pods taken away and needed again within 5 minutes': countFlaps(moments),
        'longest time with more work than the pods can do': longestSeconds(
          moments.map(({ ready, demand: cores }) => cores > ready * podCores),
        ),
        'fewest pods while all nodes are emptied': Math.min(...drains.map(({ fewest }) => fewest)),
        'pods that keep a node from being emptied': Math.max(...drains.map(({ left }) => left)),
      },
      met: {
        'nearly all of the load was answered': failed <= MISSED * sent,
        'more requests took more of the processor': used(MOST) > 3 * used(LEAST),
        'a load that swings': used(MOST) > 1.25 * used(DIP),
        'pods that ask for a processor': podCores > 0 && target > 0,
      },
      evidence: [
        `${failed} of ${sent} requests had no good answer`,
        `recorded, processors at requests a second: ${[...cores].map(([rate, of]) => `${of.toFixed(3)} at ${rate}`).join(', ')}`,
        `pods every minute: ${pods.filter((_, i) => i % (60 / SYNC_SECONDS) === 0).join(' ')}`,
      ],
    }
  },
  sabotages: [
    patch(
      'pods go as soon as the load is less',
      growth,
      'stabilizationWindowSeconds: 300',
      'stabilizationWindowSeconds: 0',
    ),
    patch('the budget lets every pod go', growth, 'minAvailable: leastReplicas - 1', 'minAvailable: 0'),
    patch('the budget lets no pod go', growth, 'minAvailable: leastReplicas - 1', 'minAvailable: leastReplicas'),
    patch(
      'pods are full before there are more',
      growth,
      'averageUtilization: description.scaling.cpuPercent',
      'averageUtilization: 95',
    ),
  ],
})

/** Each recorded second lasts for minutes, in steps of the autoscaler; then the first load again. */
function toDemand(cores: readonly number[]): readonly number[] {
  const perMinute = 60 / SYNC_SECONDS
  const [first = 0] = cores
  return [
    ...cores.flatMap((of) => Array<number>(STEP_MINUTES * perMinute).fill(of)),
    ...Array<number>(REST_MINUTES * perMinute).fill(first),
  ]
}

/** `500m` and `1`. */
function coresOf(json: Json | undefined): number {
  const text = String(json)
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1_000 : Number(text)
}

function longestSeconds(isLate: readonly boolean[]): number {
  let [longest, now] = [0, 0]
  for (const late of isLate) {
    now = late ? now + SYNC_SECONDS : 0
    longest = Math.max(longest, now)
  }
  return longest
}
