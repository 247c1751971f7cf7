import type { Browser, Page } from 'playwright-core'

/** What Chromium's own trace says of what happened meanwhile. */
export interface PageTrace {
  /** From the start of the last navigation to its largest paint; NaN when there was none. */
  readonly lcpMs: number
  /** The sum of all shifts that nobody asked for: never less than CLS. */
  readonly shifts: number
  /** From each press of a key, a button or a finger to the paint that shows what it did. */
  readonly interactions: readonly Interaction[]
}

interface Interaction {
  readonly type: string
  readonly ms: number
}

interface TraceEvent {
  readonly name: string
  readonly ts: number
  readonly args?: {
    readonly data?: {
      readonly navigationId?: string
      readonly isOutermostMainFrame?: boolean
      readonly weighted_score_delta?: number
      readonly had_recent_input?: boolean
      readonly interactionId?: number
      readonly duration?: number
      readonly type?: string
    }
  }
}

const categories = ['devtools.timeline', 'loading', 'blink.user_timing']

/** The page as a slow phone has it: every computation takes so many times longer. */
export async function slowDown(page: Page, times: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: times })
}

export async function traceOf(browser: Browser, page: Page, work: () => Promise<void>): Promise<PageTrace> {
  await browser.startTracing(page, { categories })
  try {
    await work()
  } finally {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
  }
  return readTrace((await browser.stopTracing()).toString())
}

function readTrace(text: string): PageTrace {
  const { traceEvents } = JSON.parse(text) as { traceEvents: readonly TraceEvent[] }
  const named = (name: string): readonly TraceEvent[] => traceEvents.filter((event) => event.name === name)
  const largest = named('largestContentfulPaint::Candidate').at(-1)
  const start = named('navigationStart').find(
    (event) => event.args?.data?.navigationId === largest?.args?.data?.navigationId,
  )
  const shifts = named('LayoutShift').filter((event) => !event.args?.data?.had_recent_input)
  return {
    lcpMs: ((largest?.ts ?? Number.NaN) - (start?.ts ?? Number.NaN)) / 1_000,
    shifts: shifts.reduce((sum, event) => sum + (event.args?.data?.weighted_score_delta ?? 0), 0),
    interactions: named('EventTiming').flatMap(({ args }) =>
      args?.data?.interactionId ? [{ type: args.data.type ?? '', ms: args.data.duration ?? Number.NaN }] : [],
    ),
  }
}
