import { applyLoad } from './load.ts'
import type { Stack } from './stack.ts'
import { mainThreadMs, otherThreadsMs } from './thread-time.ts'

const STEP_SECONDS = 1
const PATH = '/api/cosnap/effects'

export interface RecordedStep {
  readonly perSecond: number
  /** Processors that the web process used for what arrived in this step. */
  readonly cores: number
  readonly failed: number
}

/** What the web process used while so many requests a second arrived, a step after the other. */
export async function recordLoad(stack: Stack, rates: readonly number[]): Promise<readonly RecordedStep[]> {
  const person = await stack.newcomer()
  const [pid = 0] = await stack.pids('web')
  const used = (): number => mainThreadMs(pid) + otherThreadsMs(pid)
  const steps: RecordedStep[] = []
  const apply = (perSecond: number) =>
    applyLoad({
      perSecond,
      seconds: STEP_SECONDS,
      request: () => ({ url: `${stack.url}${PATH}`, headers: { authorization: `Bearer ${person.token}` } }),
    })
  await apply(rates[0] ?? 1)
  for (const perSecond of rates) {
    const before = used()
    const { samples } = await apply(perSecond)
    const cores = (used() - before) / (STEP_SECONDS * 1_000)
    steps.push({ perSecond, cores, failed: samples.filter(({ ok }) => !ok).length })
  }
  return steps
}
