/** What a process tells about itself: log lines, metrics, traces, health. */
export { createHealth, type Health, type HealthCheck, type HealthReport } from './health.ts'
export { createLogger, createMemoryLogger, type LogFields, type Logger, type LogLevel } from './logger.ts'
export { createMetrics, durationBuckets, type Metrics, mergeSnapshots } from './metrics.ts'
export { maskAddress, redact, redactText } from './redact.ts'
export { continueTrace, type Trace } from './trace.ts'
