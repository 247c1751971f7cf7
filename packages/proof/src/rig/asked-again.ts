import type { Pinned } from './pinned.ts'
import { until } from './wait.ts'

const PATIENCE_MS = 30_000

/** An answer of a service that is not full: one that says that it is (503) is asked again, as its answer says. */
export const askUntilServed = (ask: () => Promise<Response>): Promise<Response> =>
  until(
    'the service is not full',
    async () => {
      const response = await ask()
      if (response.status !== 503) return response
      await response.arrayBuffer()
      return undefined
    },
    PATIENCE_MS,
  )

/** The same over a connection to one process. */
export const askPinUntilServed = (pin: Pinned, ...args: Parameters<Pinned['ask']>): Promise<number> =>
  until(
    'the process is not full',
    async () => {
      const status = await pin.ask(...args)
      return status === 503 ? undefined : status
    },
    PATIENCE_MS,
  )
