/** How much of something a caller or a network may have, how often a secret may be guessed, and who behaves oddly. */
export { createGuard, type Guard, type GuardSettings, type Guess, type GuessKind } from './guard.ts'
export { clientAddress, networkKey } from './network.ts'
export { createPostgresStore } from './postgres-store.ts'
export {
  createMemoryLimiter,
  type Rate,
  type RateClass,
  type RateDecision,
  type RateLimiter,
  type RateSetting,
  rate,
  unlimited,
} from './rate.ts'
export { createRedisStore } from './redis-store.ts'
export { createSharedLimiter, type SharedLimiter, type SharedLimiterSettings } from './shared-limiter.ts'
export type { RateStore } from './store.ts'
export { createSuspicion, type Sign, type Suspect, type Suspicion } from './suspicion.ts'
