import { at, type Json, list } from './manifests.ts'

/** How many pods there are and serve, at one moment. */
export interface Moment {
  readonly second: number
  readonly pods: number
  readonly ready: number
  /** Processors that the work of this moment takes. */
  readonly demand: number
}

interface Rules {
  readonly windowSeconds: number
  readonly policies: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[]
}

interface Change {
  readonly second: number
  readonly by: number
}

export const SYNC_SECONDS = 15
/** Within this part of the target nothing is done. */
const TOLERANCE = 0.1
const START_SECONDS = 20

export interface Growth {
  /** Of autoscaling/v2, as it was rendered. */
  readonly autoscaler: Json | undefined
  /** What a pod asks for and may use, in processors. */
  readonly podCores: number
  /** Processors that the work takes, for each step of 15 seconds. */
  readonly demand: readonly number[]
}

/**
 * What the HorizontalPodAutoscaler does with a load, by the algorithm that its documentation and source publish: the
 * ratio of use to target, the tolerance, pods that are not ready counted as idle, the highest or lowest recommendation
 * of a window, and the policies for the speed. A pod does no more than it may, and serves 20 seconds after it was made.
 */
export function simulateGrowth({ autoscaler, podCores, demand }: Growth): readonly Moment[] {
  const spec = at(autoscaler, 'spec')
  const [min, max] = [Number(at(spec, 'minReplicas')), Number(at(spec, 'maxReplicas'))]
  const target = Number(at(spec, 'metrics', 0, 'resource', 'target', 'averageUtilization')) / 100
  const [up, down] = [rulesOf(at(spec, 'behavior', 'scaleUp')), rulesOf(at(spec, 'behavior', 'scaleDown'))]
  const made: number[] = Array<number>(min).fill(-START_SECONDS)
  const wished: { second: number; pods: number }[] = []
  const changes: Change[] = []
  return demand.map((cores, step) => {
    const second = step * SYNC_SECONDS
    const ready = made.filter((at) => second - at >= START_SECONDS).length
    const used = Math.min(podCores, cores / ready) / podCores
    const wish = recommend({ pods: made.length, ready, used, target })
    const stable = stabilize(wish, made.length, second, wished, { up, down })
    wished.push({ second, pods: wish })
    const next = Math.min(max, Math.max(min, limitSpeed(stable, made.length, second, changes, { up, down })))
    const moment = { second, pods: made.length, ready, demand: cores }
    if (next !== made.length) changes.push({ second, by: next - made.length })
    while (made.length < next) made.push(second)
    // The youngest go first.
    made.length = next
    return moment
  })
}

const rulesOf = (json: Json | undefined): Rules => ({
  windowSeconds: Number(at(json, 'stabilizationWindowSeconds')),
  policies: list(at(json, 'policies')).map((policy) => ({
    type: String(at(policy, 'type')),
    value: Number(at(policy, 'value')),
    periodSeconds: Number(at(policy, 'periodSeconds')),
  })),
})

function recommend({
  pods,
  ready,
  used,
  target,
}: {
  pods: number
  ready: number
  used: number
  target: number
}): number {
  const ratio = used / target
  if (Math.abs(ratio - 1) <= TOLERANCE) return pods
  if (ratio < 1 || ready === pods) return Math.ceil(ratio * ready)
  // Those that start have done nothing yet: what they will do is not asked for twice.
  const careful = (used * ready) / pods / target
  return careful - 1 <= TOLERANCE ? pods : Math.ceil(careful * pods)
}

/** Up by the least that was wished within its window, down by the most. */
function stabilize(
  wish: number,
  pods: number,
  second: number,
  wished: readonly { second: number; pods: number }[],
  { up, down }: { readonly up: Rules; readonly down: Rules },
): number {
  const within = ({ windowSeconds }: Rules): number[] =>
    wished.filter((past) => second - past.second < windowSeconds).map((past) => past.pods)
  const least = Math.min(wish, ...within(up))
  const most = Math.max(wish, ...within(down))
  return pods < least ? least : pods > most ? most : pods
}

/** As far as the fastest policy lets it from where the period began. */
function limitSpeed(
  wish: number,
  pods: number,
  second: number,
  changes: readonly Change[],
  { up, down }: { readonly up: Rules; readonly down: Rules },
): number {
  const { policies } = wish > pods ? up : down
  const ways = policies.map(({ type, value, periodSeconds }) => {
    const began =
      pods - changes.filter((past) => second - past.second < periodSeconds).reduce((sum, { by }) => sum + by, 0)
    if (wish > pods) return type === 'Percent' ? Math.ceil(began * (1 + value / 100)) : began + value
    return type === 'Percent' ? Math.floor(began * (1 - value / 100)) : began - value
  })
  if (wish > pods) return Math.min(wish, Math.max(pods, ...ways))
  return wish < pods ? Math.max(wish, Math.min(pods, ...ways)) : pods
}

/** Times that pods were taken away and wanted again within five minutes. */
export function countFlaps(moments: readonly Moment[]): number {
  const changes = moments.slice(1).flatMap((moment, i) => {
    const by = moment.pods - (moments[i]?.pods ?? moment.pods)
    return by === 0 ? [] : [{ second: moment.second, by }]
  })
  return changes.filter(({ second, by }, i) => {
    const before = changes[i - 1]
    return by > 0 && before !== undefined && before.by < 0 && second - before.second <= FLAP_SECONDS
  }).length
}

const FLAP_SECONDS = 300
