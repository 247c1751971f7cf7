import { openBareLive } from './bare-live.ts'
import { openWatcher, type Watcher } from './watcher.ts'

/** What a crowd tells the program that holds its sockets. */
export type CrowdOrder =
  | {
      readonly kind: 'open'
      readonly port: number
      readonly from: string
      readonly idle: boolean
      readonly tokens: readonly string[]
    }
  | { readonly kind: 'report' }

export interface CrowdReport {
  readonly open: number
  /** Those that are not idle, in the order in which they were opened. */
  readonly watchers: readonly WatcherReport[]
}

export interface WatcherReport {
  /** Event and moment, in milliseconds of the machine's monotonic clock. */
  readonly heard: readonly (readonly [id: number, atMs: number])[]
  readonly resets: number
}

const CHANNEL = 'platform.jobs'
const AT_ONCE = 25
const watchers: Watcher[] = []
let idle = 0

process.on('message', (order: CrowdOrder) => {
  if (order.kind === 'report')
    return process.send?.({
      open: idle + watchers.filter((watcher) => watcher.isOpen()).length,
      watchers: watchers.map((watcher) => watcher.report()),
    })
  void openAll(order).then(
    () => process.send?.({ opened: order.tokens.length }),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.once('disconnect', () => process.exit())

async function openAll({ port, from, idle: isIdle, tokens }: CrowdOrder & { kind: 'open' }): Promise<void> {
  let next = 0
  const open = async (): Promise<void> => {
    for (let n = next++; n < tokens.length; n = next++) {
      const token = tokens[n] ?? ''
      if (isIdle) await keepIdle(port, token, from)
      else watchers[n] = await openWatcher(`http://127.0.0.1:${port}`, token, CHANNEL, from)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, open))
}

/** Watches, hears nothing, and comes back as a page does when it was cut off. */
async function keepIdle(port: number, token: string, from: string): Promise<void> {
  const live = await openBareLive(port, token, from)
  await live.subscribe(CHANNEL)
  idle++
  void live.closed.then(() => {
    idle--
    comeBack(port, token, from)
  })
}

function comeBack(port: number, token: string, from: string): void {
  setTimeout(() => void keepIdle(port, token, from).catch(() => comeBack(port, token, from)), 250 + Math.random() * 500)
}
