import type { Endpoint } from '../data/index.ts'
import type { Metrics } from '../telemetry/index.ts'

/** What the supervisor tells its processes, and what they tell it. */
export type ToChild =
  | { readonly kind: 'go'; readonly endpoint: Endpoint }
  | { readonly kind: 'stop' }
  | { readonly kind: 'metrics'; readonly ask: number }
export type FromChild =
  /** Listens to the supervisor from now on; what was said before is lost. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'fatal'; readonly message: string }
  | { readonly kind: 'metrics'; readonly ask: number; readonly snapshot: unknown[] }

/** The argument of a process that takes the place of one that ended. */
export const REPLACEMENT = 'replacement'

export const tellSupervisor = (message: FromChild): void => {
  process.send?.(message)
}

/** Waits for the database, answers questions about metrics, and calls `stop` once: when told, or when the supervisor is gone. */
export function linkToSupervisor(metrics: Metrics, stop: (why: string) => void): Promise<Endpoint> {
  process.on('disconnect', () => stop('the supervisor is gone'))
  // The terminal sends Ctrl-C to the whole group; the supervisor decides the order of the stop.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => stop('SIGTERM'))
  return new Promise((resolve) => {
    process.on('message', (message: ToChild) => {
      if (message.kind === 'go') resolve(message.endpoint)
      else if (message.kind === 'stop') stop('the supervisor stops')
      else void metrics.snapshot().then((snapshot) => tellSupervisor({ kind: 'metrics', ask: message.ask, snapshot }))
    })
    tellSupervisor({ kind: 'hello' })
  })
}
