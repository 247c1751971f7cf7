import { pause, SECOND } from '@seaworthy/core'
import { judge } from './compare.ts'
import type { Host } from './host.ts'
import type { Layout } from './layout.ts'
import { isReady, readParts, readTrafficOf } from './release-view.ts'
import { noTraffic, since, type Traffic } from './traffic.ts'

export interface WatchSettings {
  readonly release: string
  /** What it is compared with: the old release, before or beside it. */
  readonly before: Traffic
  readonly forMs: number
  /** Most memory of one of its processes. */
  readonly memoryBytesMax: number
  readonly signal: AbortSignal
  /** The old release goes on beside it: what it answers meanwhile is what the new one is compared with. */
  readonly beside?: string
}

const STEP_MS = SECOND
const PROXY_MS = 5 * SECOND
const ASK_AGAIN_MS = 250
const RECENT = 8
/** One late answer is a busy moment; two are a release that hangs. */
const SILENT_MAX = 2

/** People come through nginx: what it cannot open serves nobody. Why, or undefined when it answers within a few seconds. */
export async function whyUnreachable(proxyUrl: string | undefined, layout: Layout): Promise<string | undefined> {
  if (!proxyUrl) return undefined
  const url = new URL('/health/ready', proxyUrl)
  const end = performance.now() + PROXY_MS
  for (;;) {
    const status = await fetch(url, { signal: AbortSignal.timeout(PROXY_MS) }).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return undefined
    if (performance.now() > end)
      return `through nginx ${url} answers ${status || 'nothing'}. ${hintFor(status, layout)}`
    await pause(ASK_AGAIN_MS)
  }
}

/** A 503 comes from the release; whatever nginx cannot open, it says itself. */
const hintFor = (status: number, layout: Layout): string =>
  status === 503
    ? 'HINT: the release says that it is not ready, and its log why'
    : `HINT: nginx must be of the group of ${layout.run}, which opens the sockets there`

/** Looks every second for as long as asked. Why the release must go, or undefined when it may stay. */
export async function watch(host: Host, settings: WatchSettings): Promise<string | undefined> {
  const { release, signal, forMs } = settings
  const began = await readTrafficOf(host.layout, release)
  const restarts = await restartsOf(host, release)
  const samples = [began]
  const state = { silent: 0 }
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    if (signal.aborted) return 'it was told to go back'
    // Side by side: a release that hangs keeps both waiting.
    const [broken, worse] = await Promise.all([
      whyBroken(host, settings, restarts, state),
      whyWorse(host, settings, samples),
    ])
    if (broken ?? worse) return broken ?? worse
    await pause(Math.min(STEP_MS, Math.max(0, end - performance.now())), signal)
  }
  return signal.aborted ? 'it was told to go back' : undefined
}

interface Restarts {
  readonly ofParts: number
  readonly ofAll: number
}

const restartsOf = async ({ layout, runner }: Host, release: string): Promise<Restarts> => ({
  ofParts: sumOf(await readParts(layout, release)),
  ofAll: await runner.restarts(release),
})

const sumOf = (parts: Awaited<ReturnType<typeof readParts>>): number =>
  (parts ?? []).reduce((sum, part) => sum + part.restarts, 0)

async function whyBroken(
  { layout, runner }: Host,
  { release, memoryBytesMax }: WatchSettings,
  restartsBefore: Restarts,
  state: { silent: number },
): Promise<string | undefined> {
  if (!(await runner.isAlive(release))) return 'its supervisor ended'
  const [ready, parts] = await Promise.all([isReady(layout, release), readParts(layout, release)])
  state.silent = ready && parts ? 0 : state.silent + 1
  if (state.silent >= SILENT_MAX) return 'it does not answer that it is ready'
  if ((await runner.restarts(release)) > restartsBefore.ofAll) return 'its supervisor ended, and was started again'
  if (sumOf(parts) > restartsBefore.ofParts) return 'one of its processes ended'
  const large = parts?.find((part) => part.memoryBytes > memoryBytesMax)
  return large && `${large.name} takes ${mebibytes(large.memoryBytes)} MiB of memory, of ${mebibytes(memoryBytesMax)}`
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576)

/** Over all of the time, and over the last few seconds, where what begins late shows first. */
async function whyWorse(
  { layout }: Host,
  { release, before, beside }: WatchSettings,
  samples: Traffic[],
): Promise<string | undefined> {
  const [now, other] = await Promise.all([
    readTrafficOf(layout, release),
    beside ? readTrafficOf(layout, beside) : before,
  ])
  samples.push(now)
  const [first = noTraffic, recent = first] = [samples[0], samples.at(-RECENT)]
  return judge(other, since(first, now)) ?? judge(other, since(recent, now))
}
