/** How much of something a caller or a network may have. */
export { clientAddress, networkKey } from './network.ts'
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
