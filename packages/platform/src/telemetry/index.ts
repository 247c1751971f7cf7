/** What a process tells about itself: log lines, metrics, traces, health. */
export { createHealth, type Health, type HealthCheck, type HealthReport } from './health.ts'
export { type HealthWatch, watchHealth } from './health-watch.ts'
export { asLogLine, createLogger, createMemoryLogger, type LogFields, type Logger, type LogLevel } from './logger.ts'
export { createMetrics, durationBuckets, type Metrics, mergeSnapshots } from './metrics.ts'
export { maskAddress, redactText } from './patterns.ts'
export { createPseudonyms, type Pseudonyms } from './pseudonyms.ts'
export { createRedact, type Redact, redact } from './redact.ts'
export { continueTrace, type Trace } from './trace.ts'
