import { applyLoad } from './load.ts'
import type { Stack } from './stack.ts'
import { mainThreadMs, otherThreadsMs } from './thread-time.ts'

const STEP_SECONDS = 1.5
const PATH = '/api/cosnap/effects'
/** One alone may ask for a list a thousand times in a quarter of an hour. */
const PEOPLE = 4

export interface RecordedLoad {
  /** Processors that the web process uses while so many requests a second arrive. */
  readonly cores: ReadonlyMap<number, number>
  readonly sent: number
  readonly failed: number
}

/** What the web process uses at each of these rates: once while it rises and once while it falls. */
export async function recordLoad(stack: Stack, rates: readonly number[]): Promise<RecordedLoad> {
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => stack.newcomer()))
  const [pid = 0] = await stack.pids('web')
  const usedMs = (): number => mainThreadMs(pid) + otherThreadsMs(pid)
  const apply = (perSecond: number) =>
    applyLoad({
      perSecond,
      seconds: STEP_SECONDS,
      request: (n) => ({
        url: `${stack.url}${PATH}`,
        headers: { authorization: `Bearer ${people[n % PEOPLE]?.token}` },
      }),
    })
  const [cores, steps] = [new Map<number, number>(), [...rates, ...[...rates].reverse()]]
  let [sent, failed] = [0, 0]
  // Compiled before anything is measured.
  for (let round = 0; round < 2; round++) await apply(rates.at(-1) ?? 1)
  for (const perSecond of steps) {
    const before = usedMs()
    const { samples } = await apply(perSecond)
    cores.set(perSecond, (cores.get(perSecond) ?? 0) + (usedMs() - before) / (2 * STEP_SECONDS * 1_000))
    sent += samples.length
    failed += samples.filter(({ ok }) => !ok).length
  }
  return { cores, sent, failed }
}
