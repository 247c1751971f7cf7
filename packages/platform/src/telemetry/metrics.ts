import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from '@platformatic/prom-client'

/** The one place that knows the metrics library. Label values come from definitions, never from what callers send. */
export interface Metrics {
  counter<const L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
  ): (values: Record<L, string>, by?: number) => void
  histogram<const L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): (values: Record<L, string>, value: number) => void
  /** Read when somebody looks. `together`: what the values of several processes are as one; their sum by default. */
  gauge(name: string, help: string, read: () => number, together?: 'sum' | 'max' | 'min'): void
  /** As plain data that another process can merge. */
  snapshot(): Promise<unknown[]>
  /** Prometheus's text format. */
  text(): Promise<string>
}

/** Gauges of the library that are called like counters; each is the sum of another family that stays. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  return {
    counter: (name, help, labels) => {
      const counter =
        (registry.getSingleMetric(name) as Counter | undefined) ??
        new Counter({ name, help, labelNames: [...labels], registers: [registry] })
      return (values, by = 1) => counter.inc(values as never, by)
    },
    histogram: (name, help, labels, buckets) => {
      const histogram = new Histogram({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers: [registry],
      })
      return (values, value) => histogram.observe(values as never, value)
    },
    gauge: (name, help, read, together = 'sum') => {
      // Whoever is opened again in one process reads for itself from then on.
      registry.removeSingleMetric(name)
      new Gauge({
        name,
        help,
        aggregator: together,
        registers: [registry],
        collect() {
          this.set(read())
        },
      })
    },
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown[],
    text: () => registry.metrics(),
  }
}

/** One text out of the snapshots of several processes: counters and buckets add up. */
export function mergeSnapshots(snapshots: readonly unknown[][]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as never).metrics()
}

/** Seconds; holds the documents' targets (0.1 and 0.5) as bounds. */
export const durationBuckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const
