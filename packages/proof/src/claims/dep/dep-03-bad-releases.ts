import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import { type Badness, spoil } from '../../rig/bad-release.ts'
import { type Host, openHost } from '../../rig/host.ts'
import { type Person, signUp } from '../../rig/person.ts'
import type { Rig } from '../../rig/rig.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 60
const ANSWER_MS = 90_000
/** What people call slow: far above what any answer of the good release takes. */
const SLOW_MS = 1_000
const BACK_MS = 10_000
/** Three times what one of its processes takes. */
const MEMORY = '400mb'

/** Whether anybody could notice it: only those that serve well at first come as far as the canary. */
const releases: readonly { readonly badness: Badness; readonly serves: boolean }[] = [
  { badness: 'crashes at its start', serves: false },
  { badness: 'fails its migration', serves: false },
  { badness: 'crashes', serves: true },
  { badness: 'hangs', serves: true },
  { badness: 'answers 500', serves: true },
  { badness: 'leaks', serves: true },
  { badness: 'is slow', serves: true },
]

export const claim = defineClaim({
  id: 'DEP-03',
  says: 'A release that crashes at its start or fails its migration never gets a request; one that crashes, hangs, answers 500, leaks or is slow under traffic harms requests of its tenth only, and all traffic is back within ten seconds after the first of them',
  answers: ['T6', 'V5', 'S1'],
  witness: 'releases that really do so, nginx with retries off, which names the link that each answer came over',
  tier: 'soak',
  seconds: 90,
  alone: true,
  needs: ['nginx'],
  limits: {
    'requests of the good release that failed': exactly(0, 'requests'),
    'bad releases that stayed': exactly(0, 'releases'),
    'requests to releases that do not start': exactly(0, 'requests'),
    'longest time until all traffic was back': atMost(BACK_MS, 'ms'),
  },
  experiment: async (rig) => {
    const host = await openHost(rig, { RATE_LIMIT_MAX: '1000000', SHUTDOWN_TIMEOUT: '5s', WORKER_PROCESSES: '0' })
    const first = await host.command(host.checkout('first'), 'deploy', ...options, '--bake', '1s')
    if (first.code !== 0) throw new Error(`the first deploy failed: ${first.stderr.slice(-800)}`)
    const person = await signUp(host.url)
    const outcomes: Outcome[] = []
    for (const release of releases) {
      const outcome = await put(rig, host, person, release)
      outcomes.push(outcome)
      // From here on there would be no good release to go back to.
      if (outcome.stayed) break
    }
    const late = outcomes.filter(({ serves }) => serves)
    const never = outcomes.filter(({ serves }) => !serves)
    return {
      measured: {
        'requests of the good release that failed': sum(outcomes.map(({ harmedElsewhere }) => harmedElsewhere)),
        'bad releases that stayed': outcomes.filter(({ stayed }) => stayed).length,
        'requests to releases that do not start': sum(never.map(({ served }) => served)),
        'longest time until all traffic was back': Math.max(0, ...late.map(({ backMs }) => backMs)),
      },
      met: {
        'each release was refused for what is wrong with it': outcomes.every(({ why, stayed }) => why !== '' || stayed),
        'each release that serves had traffic': late.every(({ served }) => served > 0),
        'requests came meanwhile': outcomes.every(({ asked }) => asked > PER_SECOND / 4),
      },
      evidence: outcomes.map(
        ({ badness, why, backMs, asked, served, harmed }) =>
          `${badness}: ${Math.round(backMs)} ms, ${harmed} harmed of ${served} it got of ${asked}; ${why.replaceAll('\n', ' ').slice(0, 300)}`,
      ),
    }
  },
  sabotages: [
    patch(
      'whatever a release answers counts as ready',
      'packages/ops/src/procedures/host/release-view.ts',
      "'/health/ready', ASK_MS)).status === 200",
      "'/health/ready', ASK_MS)).status >= 0",
    ),
    patch(
      'nobody compares what it answers with what the release before answered',
      'packages/ops/src/procedures/host/watch.ts',
      'return judge(other, since(first, now)) ?? judge(other, since(recent, now))',
      'return (void [other, first, recent, judge, since], undefined)',
    ),
    patch(
      'a canary gets all of the traffic',
      'packages/ops/src/procedures/host/deploy.ts',
      'pointSlots(layout, id, 0, slotsFor(canary.share))',
      'pointSlots(layout, id, 0, slotsFor(canary.share) * 10)',
    ),
  ],
})

const options = ['--yes', '--no-smoke', '--ready', '3m']

interface Outcome {
  readonly badness: Badness
  readonly serves: boolean
  readonly stayed: boolean
  readonly why: string
  readonly asked: number
  /** Requests that came to it. */
  readonly served: number
  readonly harmed: number
  /** Harmed although no link of the canary led them. */
  readonly harmedElsewhere: number
  /** From the first harmed request, or the first that came to it where none was harmed, until no link led to it. */
  readonly backMs: number
}

async function put(
  rig: Rig,
  host: Host,
  person: Person,
  { badness, serves }: (typeof releases)[number],
): Promise<Outcome> {
  const checkout = host.checkout(badness.replaceAll(' ', '-'))
  spoil(checkout, badness)
  const good = host.state().serving ?? ''
  const answers: Answered[] = []
  const load = startArrivals(PER_SECOND, async () => {
    const answer = await askSlotted(person, load)
    answers.push(answer)
    return !answer.isHarmed
  })
  rig.defer(() => load.stop())
  const deploy = host.begin(
    checkout,
    'deploy',
    ...options,
    ...['--canary', '10%', '--canary-for', '20s', '--bake', '1s', '--memory', MEMORY],
  )
  const spans = await followSlots(host, good, load, () => deploy.exit() !== undefined)
  await deploy.exited
  await load.stop()
  const { last, serving } = host.state()
  const during = answers.filter(({ atMs }) => spans.some(({ from, to }) => atMs >= from && atMs <= to))
  const harmed = during.filter(({ isHarmed }) => isHarmed)
  const fromMs = Math.min(...harmed.map(({ atMs }) => atMs), spans.at(-1)?.to ?? 0)
  return {
    badness,
    serves,
    stayed: serving !== good || last?.outcome !== 'failed',
    why: last?.outcome === 'failed' ? (last.why ?? '') : '',
    asked: answers.length,
    served: during.filter(({ slot }) => isCanary(slot)).length,
    harmed: harmed.length,
    harmedElsewhere: answers.filter(({ hasFailed, slot }) => hasFailed && !(during.length && isCanary(slot))).length,
    backMs: (spans.at(-1)?.to ?? 0) - fromMs,
  }
}

interface Answered {
  readonly atMs: number
  readonly slot: string
  readonly hasFailed: boolean
  /** Failed, or so late that people would say so. */
  readonly isHarmed: boolean
}

const isCanary = (slot: string): boolean => slot.endsWith('slot-0.sock')

/** nginx says by which link it asked. */
async function askSlotted(person: Person, { now }: Pick<Arrivals, 'now'>): Promise<Answered> {
  const atMs = now()
  const response = await person
    .fetch('/api/identity/me', { signal: AbortSignal.timeout(ANSWER_MS) })
    .then(async (answer) => {
      await answer.arrayBuffer()
      return answer
    })
    .catch(() => undefined)
  const slot = response?.headers.get('x-slot') ?? ''
  const hasFailed = response?.status !== 200
  return { atMs, slot, hasFailed, isHarmed: hasFailed || (isCanary(slot) && now() - atMs > SLOW_MS) }
}

/** When links led to another release than this one. */
async function followSlots(
  host: Host,
  good: string,
  { now }: Pick<Arrivals, 'now'>,
  isOver: () => boolean,
): Promise<{ readonly from: number; readonly to: number }[]> {
  const spans: { from: number; to: number }[] = []
  let isAway = false
  await until(
    'the deploy has ended',
    () => {
      const away = host.slots().some((release) => release !== good)
      if (away && !isAway) spans.push({ from: now(), to: now() })
      const span = spans.at(-1)
      if (span && (away || isAway)) span.to = now()
      isAway = away
      return isOver()
    },
    DEPLOY_MS,
  )
  return spans
}

const DEPLOY_MS = 300_000

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
