import { SECOND } from '@seaworthy/core'
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { EngineFailure, type Region } from '../engine.ts'

/** Failures in a row after which a region is left alone. */
const FAILURES = 4
/** How long; then one call looks whether it is well again. Longer would keep a healed one out, shorter would call a dead one. */
const ALONE_MS = 7 * SECOND

/** One address of an engine behind a circuit breaker of this process. */
export function openRegion(url: string, now: () => number = Date.now): Region {
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof EngineFailure && error.kind === 'failed'),
    { halfOpenAfter: ALONE_MS, breaker: new ConsecutiveBreaker(FAILURES) },
  )
  let [brokenAt, restsUntil] = [0, 0]
  breaker.onBreak(() => {
    brokenAt = now()
  })
  return {
    url,
    isAlone: (nowMs) =>
      nowMs < restsUntil ||
      // While one call looks, the others do not wait for what it finds.
      breaker.state === CircuitState.HalfOpen ||
      (breaker.state === CircuitState.Open && nowMs - brokenAt < ALONE_MS),
    rest: (untilMs) => {
      restsUntil = Math.max(restsUntil, untilMs)
    },
    guard: async (work) => {
      try {
        return await breaker.execute(work)
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error
        throw new EngineFailure('it has failed lately and is left alone', { kind: 'open', cause: error })
      }
    },
  }
}
